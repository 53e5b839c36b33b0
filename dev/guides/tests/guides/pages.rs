use std::fs;
use std::path::Path;

/// The blocks of a page that are Rust, without what marks them.
fn blocks(page: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut is_rust = false;
    for line in page.lines() {
        match line {
            _ if line.starts_with("```rust") => {
                is_rust = true;
                blocks.push(String::new());
            }
            "```" => is_rust = false,
            _ if is_rust => {
                if let Some(block) = blocks.last_mut() {
                    *block += line;
                    *block += "\n";
                }
            }
            _ => {}
        }
    }
    blocks
}

/// What a page shows is what the tests here run, word for word.
#[test]
fn pages_show_what_is_run() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let layers = ["beside", "inside", "fenced"].as_slice();
    let pages = [
        ("sqlx", "sqlx", layers),
        ("diesel", "diesel", layers),
        ("sea-orm", "sea_orm", layers),
        ("alone-is-not-once", "once", &["outside", "whole"]),
    ];
    for (page, module, files) in pages {
        let text = fs::read_to_string(root.join(format!("../../docs/guide/{page}.md")));
        let shown = blocks(&text.expect("a page"));
        let run = files.iter().map(|block| {
            let path = root.join(format!("src/{module}/{block}.rs"));
            fs::read_to_string(path).expect("a block")
        });
        let run = Vec::from_iter(run);
        assert_eq!(shown, run, "{page}");
    }
}
