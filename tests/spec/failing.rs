//! The list of what may fail, and how it is held against what does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What may fail.
pub struct Failing(BTreeMap<&'static str, Expected>);

/// What of a script may fail.
#[derive(Debug)]
enum Expected {
    /// The directives at these lines; 0 for a script that can not be parsed.
    Lines(BTreeSet<usize>),
    /// So many directives.
    Count(usize),
}

impl Failing {
    /// The list in `failing.txt`.
    pub fn listed() -> Failing {
        Failing::parse(include_str!("failing.txt"))
    }

    fn parse(text: &'static str) -> Failing {
        let mut all = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.splitn(3, ' ');
            let (Some(file), Some(what), Some(reason)) = (words.next(), words.next(), words.next()) else {
                panic!("`{line}` is not a file, what fails in it, and a reason");
            };
            assert!(!reason.trim().is_empty(), "`{line}` has no reason");
            let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("`{text}` is no number in `{line}`"));
            let expected = match what.strip_prefix('#') {
                Some(count) => Expected::Count(number(count)),
                None => Expected::Lines(what.split(',').map(number).collect()),
            };
            assert!(all.insert(file, expected).is_none(), "`{file}` is listed twice");
        }
        Failing(all)
    }

    /// Where the list and what failed differ, for scripts of which something failed; empty if nowhere.
    pub fn compare(&self, failures: &BTreeMap<String, Vec<(usize, String)>>) -> String {
        let mut wrong = String::new();
        for (file, failed) in failures {
            let lines: BTreeSet<usize> = failed.iter().map(|(line, _)| *line).collect();
            let same = match self.0.get(file.as_str()) {
                Some(Expected::Lines(expected)) => *expected == lines,
                Some(Expected::Count(expected)) => *expected == failed.len(),
                None => false,
            };
            if same {
                continue;
            }
            let listed = self.0.get(file.as_str());
            let _ = writeln!(wrong, "{file}: {} fail at {lines:?}, listed is {listed:?}", failed.len());
            let unlisted =
                failed.iter().filter(|(line, _)| !matches!(listed, Some(Expected::Lines(l)) if l.contains(line)));
            for (line, message) in unlisted.take(12) {
                let _ = writeln!(wrong, "  {line}: {message}");
            }
        }
        wrong
    }

    /// Fails if a script is listed of which nothing failed.
    pub fn check_files(&self, failures: &BTreeMap<String, Vec<(usize, String)>>) {
        let passed: Vec<_> = self.0.keys().filter(|file| !failures.contains_key(**file)).collect();
        assert!(passed.is_empty(), "take these from the list, nothing in them fails: {passed:?}");
    }
}

#[test]
fn a_listed_assertion_that_passes_is_found() {
    let list = Failing::parse("# comment\n\na/b.wast 3,5 because\na/c.wast #2 because of that\n");
    let failed = |file: &str, lines: &[usize]| {
        let lines = lines.iter().map(|&line| (line, "why".to_string())).collect();
        BTreeMap::from([(file.to_string(), lines)])
    };
    assert_eq!(list.compare(&failed("a/b.wast", &[3, 5])), "");
    assert_eq!(list.compare(&failed("a/c.wast", &[8, 9])), "");
    assert!(list.compare(&failed("a/b.wast", &[3])).starts_with("a/b.wast: 1 fail at {3}, listed is Some(Lines"));
    assert!(list.compare(&failed("a/b.wast", &[3, 5, 6])).contains("6: why"));
    assert!(list.compare(&failed("a/c.wast", &[8])).contains("1 fail"));
    assert!(list.compare(&failed("a/d.wast", &[8])).contains("listed is None"));
}
