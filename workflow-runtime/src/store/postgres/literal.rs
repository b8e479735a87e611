//! Values as text of SQL: literals that no content can break out of, and rows as one array for each column.
//! It knows how Postgres reads literals, and nothing of tables.
//!
//! Postgres keeps no NUL in text. In our own tables it becomes `\u{1}0`, and `\u{1}` becomes `\u{1}1`.

use std::borrow::Cow;
use std::fmt::Write;

/// A value in a column of an array.
pub(super) trait Value {
    fn put(&self, array: &mut String);
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Value for $number {
            fn put(&self, array: &mut String) {
                write!(array, "{self}").expect("a text takes every number");
            }
        }
    )*};
}

numbers! { i64 u32 bool }

impl Value for str {
    fn put(&self, array: &mut String) {
        array.push('"');
        let mut rest = self;
        while let Some(place) = rest.find(['"', '\\', '\0', '\u{1}']) {
            let (plain, special) = rest.split_at(place);
            array.push_str(plain);
            array.push_str(match special.as_bytes()[0] {
                b'"' => "\\\"",
                b'\\' => "\\\\",
                0 => "\u{1}0",
                _ => "\u{1}1",
            });
            rest = &special[1..];
        }
        array.push_str(rest);
        array.push('"');
    }
}

impl Value for String {
    fn put(&self, array: &mut String) {
        self.as_str().put(array);
    }
}

impl<T: Value + ?Sized> Value for &T {
    fn put(&self, array: &mut String) {
        (**self).put(array);
    }
}

impl<T: Value> Value for Option<T> {
    fn put(&self, array: &mut String) {
        match self {
            Some(value) => value.put(array),
            None => array.push_str("NULL"),
        }
    }
}

/// A row, of which each value goes to the array of its column.
pub(super) trait Values {
    const COLUMNS: usize;

    fn put(&self, arrays: &mut [String]);
}

macro_rules! rows {
    ($($columns:literal: $($type:ident $column:tt)*;)*) => {$(
        impl<$($type: Value),*> Values for ($($type,)*) {
            const COLUMNS: usize = $columns;

            fn put(&self, arrays: &mut [String]) {
                $(self.$column.put(&mut arrays[$column]);)*
            }
        }
    )*};
}

rows! {
    1: A 0;
    2: A 0 B 1;
    3: A 0 B 1 C 2;
    4: A 0 B 1 C 2 D 3;
    5: A 0 B 1 C 2 D 3 E 4;
    6: A 0 B 1 C 2 D 3 E 4 F 5;
    7: A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    8: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
    9: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
    10: A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
}

/// One literal for each column.
pub(super) fn columns<R: Values>(rows: &[R]) -> Vec<String> {
    let mut arrays = vec![String::from("{"); R::COLUMNS];
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            arrays.iter_mut().for_each(|array| array.push(','));
        }
        row.put(&mut arrays);
    }
    arrays.iter_mut().for_each(|array| array.push('}'));
    arrays.iter().map(|array| quoted(array)).collect()
}

/// A literal in our own tables.
pub(super) fn text(text: &str) -> String {
    if !text.contains(['\0', '\u{1}']) {
        return quoted(text);
    }
    quoted(&text.replace('\u{1}', "\u{1}1").replace('\0', "\u{1}0"))
}

/// What [`text`] and the arrays have made of a text, as it was.
pub(super) fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1}') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\u{1}0", "\0").replace("\u{1}1", "\u{1}"))
}

/// A literal between dollars: nothing in it means anything, whatever the settings of the session are.
pub(super) fn quoted(text: &str) -> String {
    let mut tag = String::from("$w");
    while text.contains(&tag) {
        tag.push('w');
    }
    format!("{tag}${text}{tag}$")
}

/// The name of a table, a column or a schema.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_one_array_for_each_column() {
        let rows = [("a\"\\b", 1_i64, None), ("c", 2, Some("NULL"))];
        assert_eq!(columns(&rows), [r#"$w${"a\"\\b","c"}$w$"#, "$w${1,2}$w$", r#"$w${NULL,"NULL"}$w$"#]);
    }

    #[test]
    fn no_text_ends_its_literal() {
        assert_eq!(quoted("it's"), "$w$it's$w$");
        assert_eq!(quoted("$w$; DROP"), "$ww$$w$; DROP$ww$");
        assert_eq!(quoted("ends with $w"), "$ww$ends with $w$ww$");
        assert_eq!(quoted("$w$ww$www"), "$wwww$$w$ww$www$wwww$");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
    }

    #[test]
    fn nul_goes_in_and_comes_out() {
        for original in ["", "\0", "\u{1}", "\u{1}0", "a\0\u{1}1\0b", "\u{1}\0\u{1}"] {
            let mut array = String::new();
            original.put(&mut array);
            assert!(!array.contains('\0') && !text(original).contains('\0'));
            assert_eq!(unescaped(array.trim_matches('"')), original);
            assert_eq!(text(original), quoted(array.trim_matches('"')));
        }
    }
}
