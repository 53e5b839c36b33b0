//! MySQL proper, which Debian's stable release does not have: fetched from the unstable one,
//! together with all of its libraries, into a directory of its own.
//!
//! The machine's packages and its sources of packages stay as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::run::{finish, run};

pub(super) const NAME: &str = "MySQL";

const PACKAGE: &str = "mysql-server-core";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The unpacked server, or one that is installed and is not MariaDB by another name.
pub(super) fn find(dir: &Path) -> Option<PathBuf> {
    let unpacked = dir.join("mysql/usr/sbin/mysqld");
    if unpacked.is_file() {
        return Some(unpacked);
    }
    let installed = super::on_path("mysqld")?.canonicalize().ok()?;
    (!installed.ends_with("mariadbd")).then_some(installed)
}

/// Fetches and unpacks the server into `target`.
pub(super) fn fetch(target: &Path) -> Result<()> {
    println!("fetching {PACKAGE} and its libraries (about 60 MB)");
    let place = target.with_extension("fetching");
    remove(&place)?;
    let config = prepare(&place)?;
    apt(&config, &["update"])?;
    apt(&config, &["install", "--yes", "--download-only", PACKAGE])?;
    let root = place.join("root");
    unpack(&place.join("cache/archives"), &root)?;
    remove(target)?;
    fs::rename(&root, target).context("putting MySQL into its place")?;
    remove(&place)
}

fn remove(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("removing {}", dir.display()))?;
    }
    Ok(())
}

/// Directories for an apt of our own, with an empty status: then it fetches every library.
fn prepare(place: &Path) -> Result<PathBuf> {
    for dir in ["lists/partial", "cache/archives/partial", "sources", "root"] {
        fs::create_dir_all(place.join(dir))?;
    }
    fs::write(place.join("status"), "")?;
    fs::write(place.join("sources/unstable.list"), source()?)?;
    let config = place.join("apt.conf");
    fs::write(&config, settings(place))?;
    Ok(config)
}

/// The mirror that the machine itself uses, with another suite.
fn source() -> Result<String> {
    let format = "$(REPO_URI) $(ORIGIN) $(RELEASE) $(COMPONENT)";
    let targets = run("apt-get", &["indextargets", "--format", format, "Created-By: Packages"])?;
    let mirror = targets.lines().find_map(mirror);
    let mirror =
        mirror.context("this machine's packages are not Debian's: install MySQL by hand")?;
    let keys = match Path::new(KEYRING).is_file() {
        true => format!("[signed-by={KEYRING}] "),
        false => String::new(),
    };
    Ok(format!("deb {keys}{mirror} unstable main\n"))
}

fn mirror(line: &str) -> Option<&str> {
    let mut words = line.split(' ');
    let (uri, origin, release) = (words.next()?, words.next()?, words.next()?);
    let main = words.next() == Some("main") && !release.contains('-');
    (origin == "Debian" && main).then_some(uri)
}

fn settings(place: &Path) -> String {
    let place = place.display();
    format!(
        "Dir::State \"{place}/\";\n\
         Dir::State::status \"{place}/status\";\n\
         Dir::State::lists \"{place}/lists\";\n\
         Dir::Cache \"{place}/cache\";\n\
         Dir::Etc::sourcelist \"/dev/null\";\n\
         Dir::Etc::sourceparts \"{place}/sources\";\n\
         Dir::Etc::preferences \"/dev/null\";\n\
         Dir::Etc::preferencesparts \"/dev/null\";\n\
         APT::Install-Recommends \"false\";\n\
         APT::Sandbox::User \"root\";\n"
    )
}

fn apt(config: &Path, args: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").args(args).env("APT_CONFIG", config);
    finish(command.env("DEBIAN_FRONTEND", "noninteractive")).map(drop)
}

fn unpack(archives: &Path, root: &Path) -> Result<()> {
    let entries = archives.read_dir()?.filter_map(|entry| Some(entry.ok()?.path()));
    let packages: Vec<PathBuf> =
        entries.filter(|file| file.extension().is_some_and(|ext| ext == "deb")).collect();
    ensure!(!packages.is_empty(), "apt fetched no package");
    println!("unpacking {} packages", packages.len());
    for package in packages {
        finish(Command::new("dpkg").arg("-x").arg(&package).arg(root))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::mirror;

    #[test]
    fn the_mirror_is_that_of_the_release_itself() {
        let line = "http://mirror.example/debian/ Debian bookworm main";
        assert_eq!(mirror(line), Some("http://mirror.example/debian/"));
        assert_eq!(mirror("http://mirror.example/debian/ Debian bookworm-updates main"), None);
        assert_eq!(mirror("http://mirror.example/debian/ Debian bookworm contrib"), None);
        assert_eq!(mirror("http://mirror.example/ubuntu/ Ubuntu noble main"), None);
    }
}
