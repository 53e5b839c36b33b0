//! What the documents say of each other: every link leads somewhere, and every page of the guide is in its
//! summary.

mod page;

use page::{Page, REPOSITORY};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn markdown(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let paths = entries.map(|entry| entry.expect("a directory entry").path());
    paths.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect()
}

fn guide() -> Vec<PathBuf> {
    let pages = markdown(&root().join("docs/guide"));
    assert!(pages.len() > 15, "{pages:?}");
    pages
}

/// The README of each crate, whose links to items are rustdoc's business.
fn front_pages() -> Vec<PathBuf> {
    let crates = fs::read_dir(root().join("crates")).expect("the crates");
    crates.map(|entry| entry.expect("a directory entry").path().join("README.md")).collect()
}

fn documents() -> Vec<PathBuf> {
    let mut documents = guide();
    documents.extend(markdown(root()));
    documents.extend(markdown(&root().join("docs")));
    documents.extend(front_pages());
    documents
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Without `.` and `..`, which need not be looked at on the disk.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// The file that a link names, and the place in it. `None`: it leads out of the repository.
fn target<'l>(page: &Path, link: &'l str) -> Option<(PathBuf, Option<&'l str>)> {
    let (file, anchor) = match link.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (link, None),
    };
    let inside = file.strip_prefix(REPOSITORY).and_then(|rest| {
        ["/blob/main/", "/tree/main/"].iter().find_map(|kind| rest.strip_prefix(kind))
    });
    match inside {
        Some(inside) => Some((root().join(inside), anchor)),
        None if file.is_empty() => Some((page.to_owned(), anchor)),
        None if file.contains("://") || file.contains("::") || file.starts_with("mailto:") => None,
        None => Some((plain(&page.with_file_name("").join(file)), anchor)),
    }
}

/// Why a link leads nowhere.
fn wrong(page: &Path, link: &str) -> Option<String> {
    let (file, anchor) = target(page, link)?;
    if !file.exists() {
        return Some(format!("{}: {link}: there is no {}", name(page), name(&file)));
    }
    let anchor = anchor.filter(|_| file.extension().is_some_and(|kind| kind == "md"))?;
    let anchors = Page::read(&file).anchors;
    (!anchors.contains(anchor)).then(|| format!("{}: {link}: there are {anchors:?}", name(page)))
}

#[test]
fn links_lead_somewhere() {
    let mut wrongs = Vec::new();
    let mut count = 0;
    for document in documents() {
        let links = Page::read(&document).links;
        count += links.len();
        wrongs.extend(links.iter().filter_map(|link| wrong(&document, link)));
    }
    assert!(wrongs.is_empty(), "{wrongs:#?}");
    assert!(count > 60, "{count} links");
}

/// They are shown by crates.io and docs.rs, where nothing else of the repository is.
#[test]
fn front_pages_link_by_whole_addresses() {
    let mut pages = front_pages();
    pages.push(root().join("README.md"));
    for page in pages {
        for link in Page::read(&page).links {
            let is_whole = link.contains("://") || link.contains("::") || link.starts_with('#');
            assert!(is_whole, "{}: {link}", name(&page));
        }
    }
}

#[test]
fn the_summary_has_every_page_once() {
    let summary = root().join("docs/guide/SUMMARY.md");
    let listed = Page::read(&summary).links;
    let files: BTreeSet<_> = listed.iter().map(|link| summary.with_file_name(link)).collect();
    assert_eq!(files.len(), listed.len(), "one page is there twice: {listed:?}");
    for page in guide().iter().filter(|page| **page != summary) {
        assert!(files.contains(page), "{} is not in the summary of the guide", name(page));
    }
}

/// Whatever is shown was compiled.
#[test]
fn examples_of_the_guide_are_compiled() {
    let sources = ["src/lib.rs", "dev/guides/src/lib.rs"];
    let sources =
        sources.map(|path| fs::read_to_string(root().join(path)).expect("UTF-8")).concat();
    for page in guide() {
        let has_rust = Page::read(&page).codes.iter().any(|code| code.language == "rust");
        let file = page.file_name().and_then(|name| name.to_str()).expect("a name");
        let included = format!("../docs/guide/{file}\")");
        assert!(!has_rust || sources.contains(&included), "{} is not compiled", name(&page));
    }
}

#[test]
fn the_readme_is_short() {
    let text = fs::read_to_string(root().join("README.md")).expect("UTF-8");
    let words = text.split_whitespace().count();
    assert!(words < 1200, "{words} words");
}

/// A test that finds nothing to complain of may have looked at nothing.
#[test]
fn what_leads_nowhere_is_found() {
    let page = root().join("docs/guide/keys.md");
    for link in ["nowhere.md", "#nowhere", "tls.md#nowhere", "../../NOWHERE"] {
        assert!(wrong(&page, link).is_some(), "{link}");
    }
    let outside = "https://example.com/nowhere";
    let whole = format!("{REPOSITORY}/blob/main/docs/nowhere.md");
    assert!(wrong(&page, outside).is_none() && wrong(&page, &whole).is_some());
    let here = "#which-key-do-i-take-and-do-other-languages-see-the-same-lock";
    assert_eq!(wrong(&page, here), None);
}
