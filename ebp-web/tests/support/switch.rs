//! The switch of the language of a page as it was sent: a link, or a form with what is entered.

/// What the switch does.
#[derive(Debug)]
pub enum Switch {
    /// Asks for an address.
    Link(String),
    /// Sends a form.
    Form { address: String, fields: Vec<(String, String)> },
}

/// Paths to which forms are sent, from a router's source.
pub fn form_paths(source: &str) -> Vec<String> {
    let routes = source.split(".route(").skip(1);
    let posts = routes.filter(|route| {
        let end = route.find(".route(").unwrap_or(route.len());
        route[..end].contains("post(")
    });
    posts.map(|route| route.split('"').nth(1).unwrap().to_owned()).collect()
}

/// The switch of a page to the other language; none if the answer is no page.
pub fn language_switch(body: &str) -> Option<Switch> {
    let switches = body.split("<ul class=\"switches\"").nth(1)?.split("</ul>").next().unwrap();
    if let Some(link) = switches.split("<a href=\"").nth(1) {
        return Some(Switch::Link(unescaped(link.split('"').next().unwrap())));
    }
    let button = switches.split("<button ").nth(1).expect("a link or a button");
    let [form, address, asks] = ["form", "formaction", "value"].map(|name| value(button, name));
    let mut fields = vec![("do".to_owned(), asks)];
    fields.extend(fields_of(body, &form));
    Some(Switch::Form { address, fields })
}

/// The fields of a form as a browser sends them, but for buttons.
pub fn fields_of(body: &str, form: &str) -> Vec<(String, String)> {
    let own = format!("<form id=\"{form}\"");
    let start = body.find(&own).unwrap_or_else(|| panic!("no form {form}: {body}"));
    let end = start + body[start..].find("</form>").unwrap();
    let other = format!(" form=\"{form}\"");
    let mut fields = Vec::new();
    for (at, _) in body.match_indices('<') {
        let tag = &body[at..at + body[at..].find('>').unwrap_or(0)];
        let is_own = (at > start && at < end && !tag.contains(" form=\"")) || tag.contains(&other);
        if !is_own || !tag.contains(" name=\"") {
            continue;
        }
        let after = &body[at + tag.len() + 1..];
        let entered = match tag {
            tag if tag.starts_with("<textarea") => {
                unescaped(after.split("</textarea>").next().unwrap())
            }
            tag if tag.starts_with("<select") => {
                let options = after.split("</select>").next().unwrap();
                let chosen = options.split("<option ").find(|option| option.contains(" selected"));
                value(chosen.or(options.split("<option ").nth(1)).unwrap(), "value")
            }
            tag if tag.contains("type=\"checkbox\"") || tag.contains("type=\"radio\"") => {
                if !tag.contains(" checked") {
                    continue;
                }
                value(tag, "value")
            }
            tag if tag.starts_with("<input") && !tag.contains("type=\"image\"") => {
                value(tag, "value")
            }
            _ => continue,
        };
        fields.push((value(tag, "name"), entered));
    }
    fields
}

fn value(tag: &str, name: &str) -> String {
    let start = format!("{name}=\"");
    let at = tag.split(&start).nth(1).unwrap_or_default();
    unescaped(at.split('"').next().unwrap_or_default())
}

pub fn unescaped(text: &str) -> String {
    let named = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    named.iter().fold(text.to_owned(), |text, (name, letter)| text.replace(name, letter))
}
