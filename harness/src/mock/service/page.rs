//! Lists, a page at a time.

use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use crate::corpus::hex;
use crate::mock::request::Request;

/// Which page is asked for.
#[derive(Debug)]
pub(super) struct Page {
    collection: &'static str,
    size: usize,
    /// Entries up to this number were on the pages before.
    after: u64,
}

impl Page {
    /// Reads `pageSize` and `pageToken`. Without a size it is `usual`; more than `most` is `most`, as the service has it.
    pub(super) fn of(request: &Request, collection: &'static str, usual: usize, most: usize) -> Result<Self, Refusal> {
        let size = match request.parameter("pageSize") {
            None | Some("" | "0") => usual,
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| Refusal::invalid(format!("Invalid value at 'page_size' (TYPE_INT32), \"{text}\"")))?,
        };
        let after = match request.parameter("pageToken") {
            None | Some("") => 0,
            Some(token) => read(collection, token)
                .ok_or_else(|| Refusal::invalid("Invalid page token: it was not given for a page of this list."))?,
        };
        Ok(Self { collection, size: size.min(most), after })
    }

    /// The page's entries of those that are there, each with its number, in order; and what leads to the next page.
    pub(super) fn cut<T>(&self, entries: impl Iterator<Item = (u64, T)>) -> (Vec<T>, Option<String>) {
        let mut left = entries.filter(|(number, _)| *number > self.after);
        let mut last = self.after;
        let page = left.by_ref().take(self.size).map(|(number, entry)| {
            last = number;
            entry
        });
        let page = page.collect();
        (page, left.next().map(|_| token(self.collection, last)))
    }
}

/// What leads on from the entry `number`. It cannot be made up, fits only its list, and has characters that a query must encode.
fn token(collection: &str, number: u64) -> String {
    let seal = hex(&Sha256::digest(format!("{collection} after {number}")));
    format!("{number:x}/{}==", &seal[..12])
}

fn read(collection: &str, text: &str) -> Option<u64> {
    let number = u64::from_str_radix(text.split_once('/')?.0, 16).ok()?;
    (token(collection, number) == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_to_the_end_whatever_goes_in_between() {
        let mut there: Vec<u64> = (1..=5).collect();
        let mut page = Page { collection: "files", size: 2, after: 0 };
        let entries = |there: &[u64]| there.iter().map(|number| (*number, *number)).collect::<Vec<_>>().into_iter();
        let (first, next) = page.cut(entries(&there));
        assert_eq!(first, [1, 2]);
        page.after = read("files", &next.unwrap()).unwrap();
        there.retain(|number| *number != 2);
        let (second, next) = page.cut(entries(&there));
        assert_eq!(second, [3, 4]);
        page.after = read("files", &next.unwrap()).unwrap();
        assert_eq!(page.cut(entries(&there)), (vec![5], None));
    }

    #[test]
    fn a_token_is_good_for_its_list_only() {
        let good = token("files", 3);
        assert_eq!(read("files", &good), Some(3));
        assert_eq!(read("models", &good), None);
        for bad in ["", "3", "3/", "x/y", &good[1..], &format!("4{}", &good[1..])] {
            assert_eq!(read("files", bad), None, "{bad}");
        }
    }
}
