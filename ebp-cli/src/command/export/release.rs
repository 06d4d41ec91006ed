//! `ebp export --release` and `ebp export confirm`: drafts of releases, and their confirmation.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::ValueEnum;
use ebp_core::{clock::SystemClock, contract::ReleaseTier};
use ebp_dataset::release::{Detail, Register};
use ebp_server::Settings;
use ebp_store::{HouseholdId, Store, StoreError, open_store};
use ebp_survey::{
    authority::certificate_path,
    dataset::{
        ExportOrder,
        release::{Drafted, Person, ReleaseOrder, confirm, draft_path, release},
    },
    masking::mask_by,
};
use uuid::Uuid;

use super::super::server_data::ServerData;
use crate::{
    exit::{self, CommandResult, Failure, chain},
    file::read_text,
    output::phrase::counted,
    stdout::print,
};

/// The heading of the options of a release.
const RELEASE: &str = "What leaves the research group";

/// The options of a release.
#[derive(Debug, clap::Args)]
pub struct ReleaseArguments {
    /// Make a draft of a release: `research` has single households in classes, for a recipient under
    /// contract; `public` has aggregates only. A second administrator confirms it with `ebp export
    /// confirm`.
    #[arg(long, value_enum, requires = "certificate", help_heading = RELEASE)]
    pub release: Option<Tier>,

    /// Who receives a research file.
    #[arg(long, value_name = "NAME", requires = "release", help_heading = RELEASE)]
    recipient: Option<String>,

    /// The households whose consent covers it, one identifier a line, where the texts that they agreed
    /// to do not say so.
    #[arg(long, value_name = "FILE", requires = "release", help_heading = RELEASE)]
    households: Option<PathBuf>,

    /// A count of the population's photovoltaic systems by region, power and years, as CSV.
    #[arg(long, value_name = "FILE", requires = "release", help_heading = RELEASE)]
    register: Option<PathBuf>,

    /// The finest region that is shown. Without --register it is nuts1 at finest.
    #[arg(long, value_enum, requires = "release", help_heading = RELEASE)]
    region: Option<Region>,

    /// Keep no list of which number is which household.
    #[arg(long, requires = "release", help_heading = RELEASE)]
    forget: bool,

    #[command(flatten)]
    person: PersonArguments,
}

/// Who makes or confirms a release.
#[derive(Debug, clap::Args)]
pub struct PersonArguments {
    /// Your certificate as an administrator, from `ebp ca issue --administrator`.
    #[arg(long, value_name = "FILE", requires = "key", help_heading = RELEASE)]
    certificate: Option<PathBuf>,

    /// Its private key.
    #[arg(long, value_name = "FILE", requires = "certificate", help_heading = RELEASE)]
    key: Option<PathBuf>,
}

/// Confirm a draft of a release, as a second administrator.
///
/// Checks that the files are those that were drafted and that every household's consent still holds, and
/// writes the release into the ledger.
#[derive(Debug, clap::Args)]
pub struct Confirm {
    /// The folder of the draft.
    draft: PathBuf,

    #[command(flatten)]
    person: PersonArguments,
}

/// How far a release goes.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Tier {
    Research,
    Public,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Region {
    Nuts3,
    Nuts2,
    Nuts1,
    Country,
}

impl ReleaseArguments {
    /// Makes a draft.
    pub fn run(
        &self,
        tier: Tier,
        settings: &Settings,
        order: &ExportOrder,
        output: &Path,
    ) -> CommandResult {
        let named = self.households.as_deref().map(Named::read).transpose()?;
        let release_order = self.order(tier, named.as_ref())?;
        let mut tell = |_| Ok(());
        let drafted = with_person(settings, &self.person, async |store, person| {
            mask_by(&store, &settings.masking, false)
                .await
                .map_err(|error| Failure::failed(chain(&error)))?;
            if let Some(named) = &named {
                named.check(&store).await?;
            }
            let made = release(&store, order, &release_order, output, person, &mut tell).await;
            made.map_err(exit::export::failed)
        })?;
        tell_draft(&drafted, output)
    }

    fn order(&self, tier: Tier, named: Option<&Named>) -> Result<ReleaseOrder, Failure> {
        let tier = match tier {
            Tier::Research => ReleaseTier::Research,
            Tier::Public => ReleaseTier::Public,
        };
        let recipient = self.recipient.as_deref().map(str::trim);
        let is_nobody = recipient.is_some_and(str::is_empty);
        if is_nobody || tier == ReleaseTier::Research && recipient.is_none() {
            let what =
                if is_nobody { "--recipient is empty" } else { "a research file is for somebody" };
            return Err(Failure::usage(what).remedy("name who receives it with --recipient"));
        }
        let register = match &self.register {
            None => None,
            Some(path) => Some(
                Register::parse(&read_text(path)?)
                    .map_err(|error| Failure::usage(format!("{}, {error}", path.display())))?,
            ),
        };
        let finest = match self.region {
            Some(Region::Nuts3) => Detail::Nuts3,
            Some(Region::Nuts2) => Detail::Nuts2,
            Some(Region::Nuts1) => Detail::Nuts1,
            Some(Region::Country) => Detail::Country,
            None if register.is_some() => Detail::Nuts3,
            None => Detail::Nuts1,
        };
        Ok(ReleaseOrder {
            tier,
            recipient: recipient.map(str::to_owned),
            finest,
            households: named.map(|named| named.lines.keys().copied().collect()),
            register,
            keep_ids: !self.forget,
        })
    }
}

impl Confirm {
    /// Confirms.
    pub fn run(&self, data: &ServerData) -> CommandResult {
        let settings = data.settings()?;
        let confirmed = with_person(&settings, &self.person, async |store, person| {
            let confirmed = confirm(&store, &self.draft, person, &SystemClock).await;
            confirmed.map_err(exit::export::failed)
        })?;
        print(format!(
            "release {} is confirmed: {}, made by {}\n",
            confirmed.number,
            self.draft.display(),
            confirmed.made_by
        ))
    }
}

/// Opens the database for an administrator.
fn with_person<T>(
    settings: &Settings,
    arguments: &PersonArguments,
    run: impl AsyncFnOnce(Arc<dyn Store>, &Person) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (Some(certificate), Some(key)) = (&arguments.certificate, &arguments.key) else {
        return Err(Failure::usage("a release is made and confirmed by persons")
            .remedy("give --certificate and --key, which `ebp ca issue --administrator` makes"));
    };
    let authority = read_text(&certificate_path(&settings.authority))?;
    let (certificate, key) = (read_text(certificate)?, read_text(key)?);
    crate::runtime::on_this_thread()?.block_on(async {
        let store = open_store(&settings.database).await.map_err(exit::server::store)?;
        let of = (certificate.as_str(), key.as_str());
        let person = Person::identify(of, &authority, &*store, &SystemClock).await;
        let done = run(store.clone(), &person.map_err(exit::export::failed)?).await?;
        store.close().await.map_err(exit::server::store)?;
        Ok(done)
    })
}

/// The households of a list, each with the line that names it.
struct Named {
    path: PathBuf,
    lines: BTreeMap<Uuid, usize>,
}

impl Named {
    fn read(path: &Path) -> Result<Self, Failure> {
        let text = read_text(path)?;
        let mut named = Self { path: path.to_owned(), lines: BTreeMap::new() };
        let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
        for (number, line) in lines {
            let uuid = line.parse().map_err(|_| named.wrong(number, "it is no identifier"))?;
            named.lines.entry(uuid).or_insert(number);
        }
        Ok(named)
    }

    /// Whether the survey has all of them: a mistyped one would be left out in silence.
    async fn check(&self, store: &Arc<dyn Store>) -> Result<(), Failure> {
        let mut lines: Vec<_> = self.lines.iter().collect();
        lines.sort_by_key(|(_, number)| **number);
        for (uuid, number) in lines {
            match store.household(HouseholdId(*uuid)).await {
                // The store does not tell one that is gone from one that never was.
                Err(StoreError::NotFound | StoreError::ConsentRevoked) => {
                    return Err(self.wrong(*number, "no household has this identifier"));
                }
                // Whether it may be in the release is asked later.
                Ok(_) => {}
                Err(error) => return Err(exit::server::store(error)),
            }
        }
        Ok(())
    }

    fn wrong(&self, line: usize, what: &str) -> Failure {
        Failure::usage(format!("{}, line {line}: {what}", self.path.display()))
            .remedy("`ebp household list` shows them")
    }
}

fn tell_draft(drafted: &Drafted, output: &Path) -> CommandResult {
    let Drafted { number, households, left, checks, risk } = drafted;
    let mut text = format!(
        "draft of release {number} in {}: {}",
        output.display(),
        counted(*households, "household")
    );
    if *left > 0 {
        text.push_str(&format!(", {left} do not fit"));
    }
    text.push('\n');
    for check in checks {
        text.push_str(&format!("  {:?}  {}\n", check.rule, check.found));
    }
    for sentence in risk {
        text.push_str(&format!("{sentence}\n"));
    }
    text.push_str(&format!(
        "Nothing may leave yet: another administrator runs\n  ebp export confirm {} --certificate FILE \
         --key FILE\n{} names the households until then.\n",
        output.display(),
        draft_path(output).display()
    ));
    print(text)
}
