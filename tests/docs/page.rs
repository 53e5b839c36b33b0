//! A Markdown file, taken apart.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Where the repository is shown.
pub(crate) const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// A block of code.
#[derive(Debug, Default)]
pub(crate) struct Code {
    /// The first word behind its fence.
    pub(crate) language: String,
}

/// What a page links to, and what can be linked to in it.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) links: Vec<String>,
    pub(crate) anchors: BTreeSet<String>,
    pub(crate) codes: Vec<Code>,
}

impl Page {
    pub(crate) fn read(file: &Path) -> Self {
        let text = fs::read_to_string(file);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let mut page = Self::default();
        let mut heading = None;
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            page.take(event, &mut heading);
        }
        page
    }

    /// `heading` is what was read of one so far.
    fn take(&mut self, event: Event<'_>, heading: &mut Option<String>) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                self.links.push(dest_url.into_string());
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let language = info.split([',', ' ']).next().unwrap_or_default().to_owned();
                self.codes.push(Code { language });
            }
            Event::Start(Tag::Heading { .. }) => *heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let text = heading.take().unwrap_or_default();
                self.anchor(&slug(&text));
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = heading {
                    heading.push_str(&text);
                }
            }
            _ => {}
        }
    }

    /// The second of a name has `-1` behind it.
    fn anchor(&mut self, slug: &str) {
        let others = (1..).map(|number| format!("{slug}-{number}"));
        let mut names = std::iter::once(slug.to_owned()).chain(others);
        let free = names.find(|name| !self.anchors.contains(name)).expect("an endless supply");
        self.anchors.insert(free);
    }
}

/// What GitHub makes of a heading, and mdBook too.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|it| it.is_alphanumeric() || [' ', '-', '_'].contains(it));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
