//! Names as people compare them: by their letters and digits, whatever their case, accents, blanks and signs.
//! It runs while the compiler evaluates constants, so it knows the scripts it folds by heart.

/// Longest name that is compared letter by letter when somebody may have meant another.
const LONGEST: usize = 48;

/// The letters of a text, one after the other.
struct Letters<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Letters<'_> {
    /// The next letter; 0 when there is none.
    const fn next(&mut self) -> u32 {
        while self.at < self.bytes.len() {
            let first = self.bytes[self.at] as u32;
            let (length, mut code) = match first {
                0..0x80 => (1, first),
                0xC0..0xE0 => (2, first & 0x1F),
                0xE0..0xF0 => (3, first & 0x0F),
                _ => (4, first & 0x07),
            };
            let mut more = 1;
            while more < length && self.at + more < self.bytes.len() {
                code = code << 6 | (self.bytes[self.at + more] & 0x3F) as u32;
                more += 1;
            }
            self.at += length;
            let letter = folded(code);
            if letter != 0 {
                return letter;
            }
        }
        0
    }
}

/// The letters `À` to `ß` without what sits on them; `.` stays as it is, `-` is none. `à` to `ÿ` are the same.
const LATIN: &[u8; 32] = b"aaaaaa.ceeeeiiii.nooooo-ouuuuy..";

/// A letter or digit in small and without accents; 0 for blanks, signs and marks.
const fn folded(code: u32) -> u32 {
    let letter = match code {
        0x30..=0x39 | 0x61..=0x7A => code,
        0x41..=0x5A => code + 32,
        0xAA | 0xB5 | 0xBA => code,
        0..=0xBF | 0xD7 | 0xF7 => 0,
        0xFF => 'y' as u32,
        0xC0..=0xFF => match LATIN[(code as usize - 0xC0) % 32] {
            b'.' if code < 0xDF => code + 32,
            b'.' => code,
            plain => plain as u32,
        },
        _ => folded_latin(code),
    };
    if letter == 0 { folded_other(code) } else { letter }
}

const fn folded_latin(code: u32) -> u32 {
    let plain = match code {
        0x100..=0x105 => 'a',
        0x106..=0x10D => 'c',
        0x10E..=0x111 => 'd',
        0x112..=0x11B => 'e',
        0x11C..=0x123 => 'g',
        0x124..=0x127 => 'h',
        0x128..=0x131 => 'i',
        0x134..=0x135 => 'j',
        0x136..=0x138 => 'k',
        0x139..=0x142 => 'l',
        0x143..=0x14B => 'n',
        0x14C..=0x151 => 'o',
        0x154..=0x159 => 'r',
        0x15A..=0x161 | 0x17F => 's',
        0x162..=0x167 => 't',
        0x168..=0x173 => 'u',
        0x174..=0x175 => 'w',
        0x176..=0x178 => 'y',
        0x179..=0x17E => 'z',
        0x132 | 0x152 => return code + 1,
        _ => return 0,
    };
    plain as u32
}

const fn folded_other(code: u32) -> u32 {
    match code {
        0..0x100 => 0,
        // Marks on the letter before them: files from some systems write `u` and a mark for `ü`.
        0x300..=0x36F => 0,
        0x391..=0x3A9 | 0x410..=0x42F => code + 0x20,
        0x400..=0x40F => code + 0x50,
        0x3005..=0x3007 => code,
        // Signs, arrows, joiners, marks of direction and of style.
        0x2000..=0x206F | 0x2190..=0x21FF | 0x3000..=0x303F => 0,
        0xFE00..=0xFE0F | 0xFE30..=0xFE4F | 0xFEFF | 0xE0000..=0xE0FFF => 0,
        0xFF10..=0xFF19 => code - 0xFF10 + 0x30,
        0xFF21..=0xFF3A => code - 0xFF21 + 0x61,
        0xFF41..=0xFF5A => code - 0xFF41 + 0x61,
        0xFF01..=0xFF65 => 0,
        _ => code,
    }
}

/// The name as one number, for comparing many with many; 0 for a name without letters. Two names that differ have the
/// same number once in a very long time, and then two things are taken for one.
pub(super) const fn key(text: &str) -> u64 {
    key_behind(0, text)
}

/// The number of a name that goes on with this text.
pub(super) const fn key_behind(key: u64, text: &str) -> u64 {
    let mut letters = Letters { bytes: text.as_bytes(), at: 0 };
    let mut key = key;
    loop {
        let letter = letters.next();
        if letter == 0 {
            return key;
        }
        if key == 0 {
            key = 0xCBF2_9CE4_8422_2325;
        }
        key = (key ^ letter as u64).wrapping_mul(0x0000_0100_0000_01B3);
    }
}

/// How many letters must be inserted, removed or replaced to make the one out of the other, in fifths of the longer
/// one; `None` when they are too far apart to be meant for each other.
pub(super) const fn distance(left: &str, right: &str) -> Option<usize> {
    let (left, left_length) = spelled(left);
    let (right, right_length) = spelled(right);
    let longer = if left_length > right_length { left_length } else { right_length };
    let between = left_length.abs_diff(right_length);
    if left_length == 0 || right_length == 0 || between * 5 > longer * 2 {
        return None;
    }
    let mut row = [0; LONGEST + 1];
    let mut column = 0;
    while column <= right_length {
        row[column] = column;
        column += 1;
    }
    let mut line = 0;
    while line < left_length {
        let mut before = row[0];
        row[0] = line + 1;
        let mut column = 0;
        while column < right_length {
            let replaced = before + (left[line] != right[column]) as usize;
            before = row[column + 1];
            let mut least = replaced;
            if row[column] + 1 < least {
                least = row[column] + 1;
            }
            if before + 1 < least {
                least = before + 1;
            }
            row[column + 1] = least;
            column += 1;
        }
        line += 1;
    }
    let edits = row[right_length];
    if edits <= 1 || edits * 5 <= longer * 2 { Some(edits * 100 / longer) } else { None }
}

const fn spelled(text: &str) -> ([u32; LONGEST], usize) {
    let mut spelled = [0; LONGEST];
    let mut letters = Letters { bytes: text.as_bytes(), at: 0 };
    let mut length = 0;
    while length < LONGEST {
        let letter = letters.next();
        if letter == 0 {
            break;
        }
        spelled[length] = letter;
        length += 1;
    }
    (spelled, length)
}

/// The length of an ISO 8601 duration in milliseconds: `P7D`, `PT1H30M`; `None` for everything else, also for
/// months and years, which have no length of their own.
pub(super) const fn duration_ms(text: &str) -> Option<u64> {
    let text = text.trim_ascii().as_bytes();
    if text.len() < 3 || text[0] != b'P' {
        return None;
    }
    let (mut total, mut number, mut is_time, mut digits) = (0_u64, 0_u64, false, 0);
    let mut at = 1;
    while at < text.len() {
        let unit = match text[at] {
            digit @ b'0'..=b'9' if digits < 12 => {
                number = number * 10 + (digit - b'0') as u64;
                digits += 1;
                at += 1;
                continue;
            }
            b'T' if !is_time && digits == 0 => {
                is_time = true;
                at += 1;
                continue;
            }
            b'W' if !is_time => 7 * 86_400_000,
            b'D' if !is_time => 86_400_000,
            b'H' if is_time => 3_600_000,
            b'M' if is_time => 60_000,
            b'S' if is_time => 1_000,
            _ => return None,
        };
        if digits == 0 {
            return None;
        }
        total = total.saturating_add(number.saturating_mul(unit));
        (number, digits) = (0, 0);
        at += 1;
    }
    if digits == 0 { Some(total) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_take_for_the_same_have_the_same_key() {
        for (left, right) in [
            ("Charge card", "charge_card"),
            ("Charge card", "ChargeCard"),
            ("Check-in: \"now\"", "check\u{a0}in now"),
            ("Über prüfen", "U\u{308}ber pru\u{308}fen"),
            ("Ñandú", "nandu"),
            ("ŁÓDŹ", "łódź"),
            ("ЗАКАЗ оформлен", "Заказ оформлен"),
            ("Charge\ncard", "Charge   card "),
            ("Ｃharge", "charge"),
        ] {
            assert_eq!(key(left), key(right), "{left} {right}");
        }
        for (left, right) in [("Charge card", "Charge cards"), ("発注", "受注"), ("A1", "A2"), ("💳", "📦")]
        {
            assert_ne!(key(left), key(right), "{left} {right}");
        }
        assert_eq!([key(""), key("?! - …"), key("\u{202e}")], [0, 0, 0]);
        assert_eq!(key_behind(key("deliver"), ".book_carrier"), key("deliver.book_carrier"));
    }

    #[test]
    fn what_was_meant_is_near_and_other_names_are_not() {
        assert_eq!(distance("Charge card", "charge_card"), Some(0));
        assert!(distance("Charge credit card", "Charge card").is_some());
        assert!(distance("Chrage card", "Charge card").is_some());
        assert!(distance("Ship", "Shop").is_some());
        assert_eq!(distance("Ship", "Refund payment"), None);
        assert_eq!(distance("", "Ship"), None);
        assert_eq!(distance("Charge card", "Check stock"), None);
        assert!(distance(&"x".repeat(1_000), &"x".repeat(900)).is_some());
    }

    #[test]
    fn durations_are_compared_by_their_length() {
        assert_eq!(duration_ms("P7D"), duration_ms("P1W"));
        assert_eq!(duration_ms("PT90M"), duration_ms("PT1H30M"));
        assert_eq!(duration_ms(" P1DT2H "), Some(26 * 3_600_000));
        for other in ["", "P", "PT", "P1M", "P1Y", "7D", "PT1", "P1H", "=duration(x)", "R3/PT10S", "P-1D"] {
            assert_eq!(duration_ms(other), None, "{other}");
        }
    }
}
