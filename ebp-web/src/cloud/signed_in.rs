//! Who is signed in, and forms that they send. Others get the sign-in page.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{Method, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use ebp_core::scope::Group;
use ebp_survey::GroupCaller;

use super::{
    draft::{Draft, NotRead, pass_over},
    problem, sign_in, site,
    state::CloudWeb,
    visitor::Visitor,
};
use crate::kit::{
    form::{Fields, FormFault},
    page::encode,
};

/// Fields of a form, at most: a hundred meters and a hundred systems.
const MOST_FIELDS: usize = 1_200;

/// Octets of a form that is not kept which are taken in, so that the browser reads the answer: as
/// many as the longest table has in a form.
const PASSED_OVER: usize = 16 << 20;

/// The caller, if the visitor is signed in as one of that group.
fn of_group(visitor: &Visitor, group: Group) -> Result<Option<GroupCaller>, Box<Response>> {
    match &visitor.session {
        Some(session) if session.group == group => {
            let survey = Arc::clone(&visitor.web.survey);
            Ok(Some(GroupCaller::of_session(survey, session)))
        }
        Some(_) => Err(Box::new(problem::other_group(visitor, group))),
        None => Ok(None),
    }
}

/// With their session, or the page that says that the database is away.
async fn visitor_of(parts: &Parts, web: &Arc<CloudWeb>) -> Result<Visitor, Response> {
    let visitor = Visitor::from_parts(parts, web).await;
    visitor.map_err(|(visitor, error)| problem::failed(&visitor, error))
}

impl FromRequestParts<Arc<CloudWeb>> for Visitor {
    type Rejection = Response;
    async fn from_request_parts(parts: &mut Parts, web: &Arc<CloudWeb>) -> Result<Self, Response> {
        visitor_of(parts, web).await
    }
}

/// A visitor who is signed in as one of the group. Others are led to the sign-in page, and back
/// afterwards.
async fn signed_in(
    parts: &Parts,
    web: &Arc<CloudWeb>,
    group: Group,
) -> Result<(Visitor, GroupCaller), Response> {
    let visitor = visitor_of(parts, web).await?;
    if let Some(caller) = of_group(&visitor, group).map_err(|refusal| *refusal)? {
        return Ok((visitor, caller));
    }
    // A link in a mail: the browser left the cookie out, and sends it if the page asks for itself.
    let is_linked = parts.headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    if is_linked && parts.method == Method::GET && visitor.token.is_none() {
        return Err(sign_in::ask_again(&visitor));
    }
    let ended = if visitor.token.is_some() { "&ended=1" } else { "" };
    let back = if parts.method == Method::GET {
        parts.uri.path_and_query().map_or(site::home(group), |target| target.as_str())
    } else {
        site::home(group)
    };
    let target = format!("/sign-in?group={}&next={}{ended}", group.name(), encode(back));
    Err(Redirect::to(&target).into_response())
}

/// A form of a page of this session. Who is not signed in (any more) gets the sign-in page, which
/// keeps what was entered.
async fn submitted(
    request: Request,
    web: &Arc<CloudWeb>,
    group: Group,
) -> Result<(Visitor, GroupCaller, Fields), Response> {
    let (parts, body) = request.into_parts();
    let visitor = visitor_of(&parts, web).await?;
    let caller = of_group(&visitor, group).map_err(|refusal| *refusal)?;
    let path = parts.uri.path().to_owned();
    let request = Request::from_parts(parts, body);
    // Of somebody who is not signed in, held until the answer is made.
    let admitted = match &caller {
        Some(_) => Ok(None),
        None => web.long_forms.admit(&request),
    };
    let _admitted = match admitted {
        Ok(admitted) => admitted,
        Err(reason) => {
            pass_over(request, PASSED_OVER).await;
            return Err(match reason {
                NotRead::TooLong => sign_in::with_draft(&visitor, group, &path, None),
                NotRead::Busy => problem::busy(&visitor),
            });
        }
    };
    let fields = Fields::read_all(request, MOST_FIELDS).await;
    let fields = fields.map_err(|fault| match fault {
        FormFault::NoForm => problem::refuse_form(&visitor),
        FormFault::TooLong => problem::too_long(&visitor),
    })?;
    let Some(caller) = caller else {
        let draft = Draft::of_form(&path, &fields);
        return Err(sign_in::with_draft(&visitor, group, &path, draft));
    };
    if !visitor.is_own_form(fields.get("token")) {
        return Err(problem::refuse_form(&visitor));
    }
    Ok((visitor, caller, fields))
}

macro_rules! of_groups {
    ($($(#[$about:meta])* $name:ident, $form:ident: $group:expr;)*) => {$(
        $(#[$about])*
        pub struct $name {
            /// Who asks.
            pub visitor: Visitor,
            /// What they may have done.
            pub caller: GroupCaller,
        }

        impl FromRequestParts<Arc<CloudWeb>> for $name {
            type Rejection = Response;
            async fn from_request_parts(
                parts: &mut Parts,
                web: &Arc<CloudWeb>,
            ) -> Result<Self, Response> {
                let (visitor, caller) = signed_in(parts, web, $group).await?;
                Ok(Self { visitor, caller })
            }
        }

        $(#[$about])*
        ///
        /// They sent a form, which is of a page of this session.
        pub struct $form {
            /// Who sent it.
            pub visitor: Visitor,
            /// What they may have done.
            pub caller: GroupCaller,
            /// What they sent.
            pub fields: Fields,
        }

        impl FromRequest<Arc<CloudWeb>> for $form {
            type Rejection = Response;
            async fn from_request(
                request: Request,
                web: &Arc<CloudWeb>,
            ) -> Result<Self, Response> {
                let (visitor, caller, fields) = submitted(request, web, $group).await?;
                Ok(Self { visitor, caller, fields })
            }
        }
    )*};
}

of_groups! {
    /// A researcher who is signed in.
    Researcher, ResearcherForm: Group::Researchers;
    /// An administrator who is signed in.
    Administrator, AdministratorForm: Group::Administrators;
}
