//! What may stand in a path: names come from outside and must not be able to lead to another one.

use crate::error::Error;

/// A model's collection, if its name has none, and its name.
pub(crate) fn model_path(model: &str) -> Result<(&'static str, &str), Error> {
    let (collection, name) = if model.starts_with("models/") || model.starts_with("tunedModels/") {
        ("", model)
    } else {
        ("models/", model)
    };
    if !well_formed(name, if collection.is_empty() { 2 } else { 1 }) {
        return Err(Error::config(format!(
            "{model:?} is no model's name: use one like gemini-2.5-flash or tunedModels/mine"
        )));
    }
    Ok((collection, name))
}

/// The path of a resource: `name` with its collection, which it may lack.
pub(super) fn resource(collection: &'static str, name: &str) -> Result<String, Error> {
    let id = name.strip_prefix(collection).and_then(|rest| rest.strip_prefix('/')).unwrap_or(name);
    if !well_formed(id, 1) {
        return Err(Error::config(format!("{name:?} is no name in {collection}: use one like {collection}/abc-123")));
    }
    Ok([collection, "/", id].concat())
}

fn well_formed(name: &str, segments: usize) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    name.split('/').count() == segments
        && name.split('/').all(|segment| !matches!(segment, "" | "." | "..") && segment.bytes().all(plain))
}

/// Adds fields to a path as its query, encoded.
pub(super) fn with_query<'a>(path: &str, fields: impl IntoIterator<Item = (&'static str, &'a str)>) -> String {
    let mut text = path.to_owned();
    for (at, (name, value)) in fields.into_iter().enumerate() {
        text.push(if at == 0 { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~,".contains(&byte) {
                text.push(char::from(byte));
            } else {
                text.push('%');
                text.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789ABCDEF"[usize::from(digit)])));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_lack_its_collection_but_cannot_lead_elsewhere() {
        assert_eq!(resource("files", "files/a-1").unwrap(), "files/a-1");
        assert_eq!(resource("files", "a-1").unwrap(), "files/a-1");
        for name in ["", "files/", "a/b", "files/a/b", "..", "files/..", "a?b", "a%2fb", "a b", "é", "models/m"] {
            assert!(resource("files", name).unwrap_err().to_string().contains("is no name in files"), "{name:?}");
        }
    }

    #[test]
    fn a_query_is_encoded() {
        assert_eq!(with_query("files", []), "files");
        assert_eq!(with_query("a", [("x", "1,b"), ("y", "&=/+ é")]), "a?x=1,b&y=%26%3D%2F%2B%20%C3%A9");
    }
}
