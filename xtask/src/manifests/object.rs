//! Rendered manifests: reading them, and finding pods and containers in them.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// All documents of a text of YAML.
///
/// # Errors
/// When it is none, or has what JSON has not.
pub fn parse(text: &str) -> Result<Vec<Value>> {
    let documents = YamlLoader::load_from_str(text)?;
    documents.into_iter().filter(|own| !own.is_null()).map(json).collect()
}

fn json(yaml: Yaml) -> Result<Value> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Boolean(value) => value.into(),
        Yaml::Integer(value) => value.into(),
        Yaml::Real(text) => text.parse::<f64>()?.into(),
        Yaml::String(text) => text.into(),
        Yaml::Array(items) => Value::Array(items.into_iter().map(json).collect::<Result<_>>()?),
        Yaml::Hash(members) => {
            let mut object = Map::new();
            for (name, value) in members {
                let name = name.into_string().context("a member without a name")?;
                object.insert(name, json(value)?);
            }
            Value::Object(object)
        }
        Yaml::Alias(_) | Yaml::BadValue => bail!("an alias"),
    })
}

/// `Kind/name`.
pub fn name_of(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// What runs pods: the template of a workload, or of a job.
#[derive(Debug, Clone, Copy)]
pub struct Workload<'a> {
    pub object: &'a Value,
    pub template: &'a Value,
}

impl<'a> Workload<'a> {
    /// Of an object, if it runs pods.
    pub fn from_object(object: &'a Value) -> Option<Self> {
        let template = match object["kind"].as_str()? {
            "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => &object["spec"]["template"],
            "CronJob" => &object["spec"]["jobTemplate"]["spec"]["template"],
            _ => return None,
        };
        Some(Self { object, template })
    }

    /// Those among the objects.
    pub fn all(objects: &'a [Value]) -> impl Iterator<Item = Self> {
        objects.iter().filter_map(Self::from_object)
    }

    pub fn pod(&self) -> &'a Value {
        &self.template["spec"]
    }

    /// Its containers, those that run before included.
    pub fn containers(&self) -> impl Iterator<Item = &'a Value> {
        let list = |name: &str| self.pod()[name].as_array().into_iter().flatten();
        list("initContainers").chain(list("containers"))
    }

    /// Whether it goes on until it is stopped.
    pub fn is_service(&self) -> bool {
        matches!(self.object["kind"].as_str(), Some("Deployment" | "StatefulSet"))
    }

    /// Whether it is a server of ours: `ebp serve` and nothing behind it.
    pub fn is_server(&self) -> bool {
        self.is_service()
            && self.containers().any(|own| own["args"] == serde_json::json!(["serve"]))
    }

    /// Whether a selector of labels means its pods.
    pub fn is_selected(&self, labels: &Value) -> bool {
        let own = &self.template["metadata"]["labels"];
        let wanted = labels.as_object();
        wanted.is_some_and(|wanted| {
            !wanted.is_empty() && wanted.iter().all(|(name, value)| own[name] == *value)
        })
    }
}

/// The variable of that name.
pub fn variable<'a>(container: &'a Value, name: &str) -> Option<&'a Value> {
    container["env"].as_array()?.iter().find(|own| own["name"] == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_become_objects() {
        let text =
            "kind: A\nmetadata: {name: b}\nspec: {count: 3, on: true, text: \"3\"}\n---\nkind: C\n";
        let objects = parse(text).unwrap();
        assert_eq!(objects.len(), 2);
        assert_eq!(name_of(&objects[0]), "A/b");
        assert_eq!(objects[0]["spec"], serde_json::json!({"count": 3, "on": true, "text": "3"}));
        assert!(parse("a: [").is_err());
    }
}
