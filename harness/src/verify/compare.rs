//! What was served and what was said, value by value.

use serde_json::Value;

use super::forms::same_number;

/// A place where the two are not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: `$.candidates[0].index`.
    pub path: String,
    /// What was served there, shortened; `None`: nothing.
    pub served: Option<String>,
    /// What was said there, shortened; `None`: nothing.
    pub said: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let or_nothing = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: served {}, said {}", self.path, or_nothing(&self.served), or_nothing(&self.said))
    }
}

/// How a comparison went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many values were compared: each that is no object or list, or an empty one.
    pub checks: usize,
    /// Where they are not the same.
    pub differences: Vec<Difference>,
}

/// Compares two values in canonical form. Each value of either must be in the other.
pub fn compare(root: &str, served: &Value, said: &Value, to: &mut Compared) {
    match (served, said) {
        (Value::Object(a), Value::Object(b)) if !(a.is_empty() && b.is_empty()) => {
            for (name, value) in a {
                let path = format!("{root}.{name}");
                match b.get(name) {
                    Some(other) => compare(&path, value, other, to),
                    None => to.differ(path, Some(value), None),
                }
            }
            for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                to.differ(format!("{root}.{name}"), None, Some(value));
            }
        }
        (Value::Array(a), Value::Array(b)) if !(a.is_empty() && b.is_empty()) => {
            for at in 0..a.len().max(b.len()) {
                let path = format!("{root}[{at}]");
                match (a.get(at), b.get(at)) {
                    (Some(value), Some(other)) => compare(&path, value, other, to),
                    (value, other) => to.differ(path, value, other),
                }
            }
        }
        (Value::Number(a), Value::Number(b)) if same_number(a, b) => to.checks += 1,
        (a, b) if a == b => to.checks += 1,
        (a, b) => to.differ(root.to_owned(), Some(a), Some(b)),
    }
}

impl Compared {
    /// Notes that the two are not the same at `path`.
    pub fn differ(&mut self, path: String, served: Option<&Value>, said: Option<&Value>) {
        self.checks += 1;
        let from = match (served, said) {
            (Some(Value::String(a)), Some(Value::String(b))) => same_beginning(a, b),
            _ => 0,
        };
        let show = |value: &Value| excerpt(value, from);
        self.differences.push(Difference { path, served: served.map(show), said: said.map(show) });
    }
}

/// How much of a value is shown, characters.
const SHOWN: usize = 60;

fn same_beginning(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// A value shortened; a text from a little before the character at which it differs.
fn excerpt(value: &Value, from: usize) -> String {
    let skipped = from.saturating_sub(SHOWN / 3);
    let json = match value {
        Value::String(text) if skipped > 0 => {
            format!("…{}", Value::from(text.chars().skip(skipped).collect::<String>()))
        }
        other => other.to_string(),
    };
    match json.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &json[..end], value.to_string().len()),
        None => json,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(served: Value, said: Value) -> (usize, Vec<String>) {
        let mut compared = Compared::default();
        compare("$", &served, &said, &mut compared);
        (compared.checks, compared.differences.iter().map(Difference::to_string).collect())
    }

    #[test]
    fn every_value_is_a_check() {
        let value = json!({"a": [1, {"b": "x"}, {}], "c": null, "d": []});
        assert_eq!(differences(value.clone(), value), (5, vec![]));
    }

    #[test]
    fn a_difference_has_its_path_and_both_values() {
        let served = json!({"a": [{"b": 1, "gone": {"deep": true}}, 2], "same": 1.0});
        let said = json!({"a": [{"b": 3}, 2, "more"], "same": 1, "new": null});
        assert_eq!(
            differences(served, said).1,
            [
                "$.a[0].b: served 1, said 3",
                "$.a[0].gone: served {\"deep\":true}, said nothing",
                "$.a[2]: served nothing, said \"more\"",
                "$.new: served nothing, said null",
            ]
        );
    }

    #[test]
    fn a_long_text_is_shown_where_it_differs() {
        let (served, said) = (format!("{}é!", "a".repeat(500)), format!("{}è?", "a".repeat(500)));
        let (_, found) = differences(json!(served), json!(said));
        assert_eq!(found, [format!("$: served …\"{0}é!\", said …\"{0}è?\"", "a".repeat(20))]);
        let (_, found) = differences(json!("b".repeat(100)), json!(1));
        assert_eq!(found, [format!("$: served \"{}… (102 bytes), said 1", "b".repeat(59))]);
    }
}
