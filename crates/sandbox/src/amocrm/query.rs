//! Query strings in PHP style.

use percent_encoding::percent_decode_str;

/// A decoded query string; keys are split at brackets.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pairs: Vec<(Vec<String>, String)>,
    raw: Vec<(String, String)>,
}

impl Query {
    /// Reads `a[b][]=c&d=e`.
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for part in text.split('&').filter(|p| !p.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (decode(key), decode(value));
            query.pairs.push((path(&key), value.clone()));
            query.raw.push((key, value));
        }
        query
    }

    /// The value under an exact path such as `["filter", "updated_at", "from"]`.
    pub fn get(&self, path: &[&str]) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key == path)
            .map(|(_, value)| value.as_str())
    }

    /// Whether anything is below a path.
    pub fn has(&self, path: &[&str]) -> bool {
        self.below(path).next().is_some()
    }

    /// A scalar or all elements of an array under a path.
    pub fn list(&self, path: &[&str]) -> Vec<&str> {
        self.below(path)
            .filter(|(rest, _)| rest.is_empty() || (rest.len() == 1 && is_index(&rest[0])))
            .map(|(_, value)| value)
            .collect()
    }

    /// Like [`Query::list`], comma lists split.
    pub fn words(&self, path: &[&str]) -> Vec<&str> {
        self.list(path)
            .into_iter()
            .flat_map(|v| v.split(','))
            .map(str::trim)
            .filter(|v| !v.is_empty())
            .collect()
    }

    /// Whole numbers of a scalar or an array.
    pub fn ints(&self, path: &[&str]) -> Vec<i64> {
        self.list(path)
            .into_iter()
            .filter_map(|v| v.trim().parse().ok())
            .collect()
    }

    /// A whole number.
    pub fn int(&self, path: &[&str]) -> Option<i64> {
        self.get(path)?.trim().parse().ok()
    }

    /// Everything below a path: the remaining key parts and the value.
    pub fn below<'a>(&'a self, path: &[&str]) -> impl Iterator<Item = (&'a [String], &'a str)> {
        let path: Vec<String> = path.iter().map(|p| (*p).to_owned()).collect();
        let depth = path.len();
        let inside = self.pairs.iter().filter(move |(key, _)| key.starts_with(&path));
        inside.map(move |(key, value)| (&key[depth..], value.as_str()))
    }

    /// `from`/`to` below a path, or a scalar as both.
    pub fn range(&self, path: &[&str]) -> (Option<i64>, Option<i64>) {
        let at = |end: &str| {
            let mut full = path.to_vec();
            full.push(end);
            self.int(&full)
        };
        match self.int(path) {
            Some(exact) => (Some(exact), Some(exact)),
            None => (at("from"), at("to")),
        }
    }

    /// The query with another page and limit, encoded.
    pub fn with_page(&self, page: usize, limit: usize) -> String {
        let mut out = String::new();
        for (key, value) in self.raw.iter().filter(|(key, _)| key != "page" && key != "limit") {
            out.push_str(&format!("{}={}&", encode(key), encode(value)));
        }
        out.push_str(&format!("page={page}&limit={limit}"));
        out
    }
}

fn is_index(part: &str) -> bool {
    part.is_empty() || part.bytes().all(|b| b.is_ascii_digit())
}

fn path(key: &str) -> Vec<String> {
    let Some((head, rest)) = key.split_once('[') else {
        return vec![key.to_owned()];
    };
    let mut parts = vec![head.to_owned()];
    parts.extend(rest.split('[').map(|p| p.trim_end_matches(']').to_owned()));
    parts
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// Encodes like PHP's `http_build_query`.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn php_arrays_in_all_three_forms() {
        for text in [
            "filter[id][]=1&filter[id][]=2",
            "filter%5Bid%5D%5B0%5D=1&filter%5Bid%5D%5B1%5D=2",
        ] {
            assert_eq!(Query::parse(text).ints(&["filter", "id"]), [1, 2], "{text}");
        }
        assert_eq!(Query::parse("filter[id]=7").ints(&["filter", "id"]), [7]);
        let query = Query::parse("filter[updated_at][from]=5&filter[statuses][0][status_id]=142&with=a,b");
        assert_eq!(query.range(&["filter", "updated_at"]), (Some(5), None));
        assert_eq!(query.words(&["with"]), ["a", "b"]);
        assert!(query.ints(&["filter", "statuses"]).is_empty());
        assert!(query.has(&["filter", "statuses"]));
    }

    #[test]
    fn encoding_is_that_of_http_build_query() {
        assert_eq!(encode("a b[]+Я~"), "a+b%5B%5D%2B%D0%AF%7E");
    }
}
