//! The pages of the error codes, for who sees a code in a terminal and has no source of ours at hand.
//! Text only; what each code stands for is decided where it is told.

/// All pages, by their codes.
const PAGES: &[(&str, &str)] = &[
    ("WF001", include_str!("../../docs/errors/WF001.md")),
    ("WF002", include_str!("../../docs/errors/WF002.md")),
    ("WF003", include_str!("../../docs/errors/WF003.md")),
    ("WF004", include_str!("../../docs/errors/WF004.md")),
    ("WF005", include_str!("../../docs/errors/WF005.md")),
    ("WF006", include_str!("../../docs/errors/WF006.md")),
    ("WF010", include_str!("../../docs/errors/WF010.md")),
    ("WF012", include_str!("../../docs/errors/WF012.md")),
    ("WF013", include_str!("../../docs/errors/WF013.md")),
    ("WF014", include_str!("../../docs/errors/WF014.md")),
    ("WF015", include_str!("../../docs/errors/WF015.md")),
    ("WF020", include_str!("../../docs/errors/WF020.md")),
    ("WF021", include_str!("../../docs/errors/WF021.md")),
    ("WF022", include_str!("../../docs/errors/WF022.md")),
    ("WF030", include_str!("../../docs/errors/WF030.md")),
    ("WF031", include_str!("../../docs/errors/WF031.md")),
    ("WF032", include_str!("../../docs/errors/WF032.md")),
    ("WF033", include_str!("../../docs/errors/WF033.md")),
    ("WF034", include_str!("../../docs/errors/WF034.md")),
    ("WF036", include_str!("../../docs/errors/WF036.md")),
    ("WF037", include_str!("../../docs/errors/WF037.md")),
    ("WF038", include_str!("../../docs/errors/WF038.md")),
    ("WF040", include_str!("../../docs/errors/WF040.md")),
    ("WF041", include_str!("../../docs/errors/WF041.md")),
    ("WF042", include_str!("../../docs/errors/WF042.md")),
    ("WF043", include_str!("../../docs/errors/WF043.md")),
    ("WF044", include_str!("../../docs/errors/WF044.md")),
    ("WF045", include_str!("../../docs/errors/WF045.md")),
    ("WF050", include_str!("../../docs/errors/WF050.md")),
    ("WF060", include_str!("../../docs/errors/WF060.md")),
    ("WF070", include_str!("../../docs/errors/WF070.md")),
    ("WF101", include_str!("../../docs/errors/WF101.md")),
    ("WF102", include_str!("../../docs/errors/WF102.md")),
    ("WF103", include_str!("../../docs/errors/WF103.md")),
    ("WF104", include_str!("../../docs/errors/WF104.md")),
    ("WF105", include_str!("../../docs/errors/WF105.md")),
    ("WF106", include_str!("../../docs/errors/WF106.md")),
    ("WF107", include_str!("../../docs/errors/WF107.md")),
];

/// Shows the page of this code, or which ones there are; gives whether what was asked for is there.
pub(crate) fn explain(code: Option<&str>) -> bool {
    let Some(code) = code else {
        println!("{}", list());
        return true;
    };
    match page(code) {
        Some(page) => println!("{}", page.trim_end()),
        None => println!("there is no code `{code}`; these are there:\n\n{}", list()),
    }
    page(code).is_some()
}

/// The page of a code, however it is written: `WF033`, `wf033`, `33`.
fn page(code: &str) -> Option<&'static str> {
    let digits = code.trim().trim_start_matches(['w', 'W']).trim_start_matches(['f', 'F']);
    let number: u32 = digits.parse().ok()?;
    let code = format!("WF{number:03}");
    PAGES.iter().find(|(known, _)| *known == code).map(|(_, page)| *page)
}

/// The first line of each page.
fn list() -> String {
    let titles = PAGES.iter().filter_map(|(_, page)| page.lines().next());
    titles.map(|title| title.trim_start_matches("# ")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_however_it_is_written() {
        for code in ["WF033", "wf033", "33", " WF33 "] {
            assert!(page(code).is_some_and(|page| page.starts_with("# WF033: ")), "{code}");
        }
        for other in ["WF999", "", "pivot", "E0080"] {
            assert_eq!(page(other), None, "{other}");
        }
        assert!(!explain(Some("WF999")) && explain(Some("WF001")) && explain(None));
    }

    #[test]
    fn every_page_of_the_guide_is_here_under_its_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().to_string_lossy().replace(".md", ""))
            .collect();
        files.sort();
        assert_eq!(PAGES.iter().map(|(code, _)| *code).collect::<Vec<_>>(), files);
        for (code, page) in PAGES {
            assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        }
        assert_eq!(list().lines().count(), PAGES.len());
    }
}
