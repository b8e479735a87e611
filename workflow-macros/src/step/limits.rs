//! `concurrency = 8` and `rate = "100/s"`: how many attempts of a step the process lets through.
//! It must not know who waits, and for how long; it only reads the numbers.

use syn::{LitInt, LitStr};
use workflow_graph::Rate;

use crate::errors::Errors;
use crate::words::Word;

/// The units of a rate in milliseconds, with what people write instead of them.
const UNITS: [(&str, u64, &[&str]); 3] = [
    ("s", 1_000, &["S", "sec", "secs", "second", "seconds", "1s"]),
    ("m", 60_000, &["M", "min", "mins", "minute", "minutes", "1m"]),
    ("h", 3_600_000, &["H", "hr", "hour", "hours", "1h"]),
];

/// How many attempts may be under way at a time.
pub(super) fn concurrency(word: &Word, errors: &mut Errors) -> Option<u32> {
    let literal: LitInt = word.value("concurrency = 8", errors)?;
    match literal.base10_parse::<u32>() {
        Ok(0) => {
            let message = "no attempt would ever begin; `concurrency = 1` is for one at a time";
            errors.at(literal.span(), message);
            None
        }
        parsed => errors.ok(parsed),
    }
}

/// How many attempts may begin in a span of time.
pub(super) fn rate(word: &Word, errors: &mut Errors) -> Option<Rate> {
    let literal: LitStr = word.value("rate = \"100/s\"", errors)?;
    errors.ok(parse(&literal.value()).map_err(|message| syn::Error::new(literal.span(), message)))
}

fn parse(text: &str) -> Result<Rate, String> {
    let Some((count, unit)) = text.split_once('/') else {
        return Err(format!("`{text}` is not a rate; write it like \"10/s\", \"100/m\" or \"1000/h\""));
    };
    let (count, unit) = (count.trim(), unit.trim());
    if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("`{text}`: a whole number stands before the `/`, like \"100/s\""));
    }
    let meant = UNITS.iter().find(|(.., others)| others.contains(&unit));
    let per_ms = match (UNITS.iter().find(|(name, ..)| *name == unit), meant) {
        (Some((_, per_ms, _)), _) => *per_ms,
        (None, Some((name, ..))) => return Err(format!("`{text}`: write \"{count}/{name}\"")),
        (None, None) => {
            return Err(format!("`{text}`: after the `/` stands one of s, m, h: \"{count}/s\""));
        }
    };
    match count.parse() {
        Ok(0) => Err(format!("`{text}`: no attempt would ever begin; a rate is at least 1")),
        Ok(count) => Ok(Rate { count, per_ms }),
        Err(_) => Err(format!("`{text}` is more than can be counted; leave the rate out for no limit")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_and_a_unit() {
        assert_eq!(parse("100/s"), Ok(Rate { count: 100, per_ms: 1_000 }));
        assert_eq!(parse("5 / m"), Ok(Rate { count: 5, per_ms: 60_000 }));
        assert_eq!(parse("1000/h"), Ok(Rate { count: 1_000, per_ms: 3_600_000 }));
    }

    #[test]
    fn what_was_meant_is_named() {
        let meant = [
            ("100", "`100` is not a rate; write it like \"10/s\", \"100/m\" or \"1000/h\""),
            ("100/sec", "`100/sec`: write \"100/s\""),
            ("100/1m", "`100/1m`: write \"100/m\""),
            ("100/d", "`100/d`: after the `/` stands one of s, m, h: \"100/s\""),
            ("100/", "`100/`: after the `/` stands one of s, m, h: \"100/s\""),
            ("-1/s", "`-1/s`: a whole number stands before the `/`, like \"100/s\""),
            ("0.5/s", "`0.5/s`: a whole number stands before the `/`, like \"100/s\""),
            ("/s", "`/s`: a whole number stands before the `/`, like \"100/s\""),
            ("0/s", "`0/s`: no attempt would ever begin; a rate is at least 1"),
            ("5000000000/s", "`5000000000/s` is more than can be counted; leave the rate out for no limit"),
        ];
        for (text, message) in meant {
            assert_eq!(parse(text), Err(message.to_owned()));
        }
    }
}
