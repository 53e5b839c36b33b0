//! compose.yaml: every database, on the loopback interface alone, with a health check; and the
//! variables that `cargo xtask env` prints for it are those that the tests read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dlock_testkit::server::{Engine, Maria, Mysql, PostgreSql};
use saphyr::{LoadableYamlNode, YamlOwned};

const SERVICES: [&str; 6] = ["mariadb", "mssql", "mysql", "oracle", "pgbouncer", "postgres"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn services() -> BTreeMap<String, YamlOwned> {
    let text = fs::read_to_string(root().join("compose.yaml")).expect("compose.yaml");
    let documents = YamlOwned::load_from_str(&text).expect("compose.yaml is YAML");
    let services = documents[0]["services"].as_mapping().expect("services").iter();
    services.map(|(name, service)| (text_of(name), service.clone())).collect()
}

fn text_of(node: &YamlOwned) -> String {
    node.as_str().expect("a text").to_owned()
}

/// The port on this machine of each service.
fn ports() -> BTreeMap<String, String> {
    services().iter().map(|(name, service)| (name.clone(), port(name, service))).collect()
}

fn port(name: &str, service: &YamlOwned) -> String {
    let ports = service["ports"].as_sequence().expect("ports");
    assert_eq!(ports.len(), 1, "{name} has one port");
    let port = text_of(&ports[0]);
    let outer = port.strip_prefix("127.0.0.1:").and_then(|rest| rest.split_once(':'));
    let (outer, _) = outer.unwrap_or_else(|| panic!("{name} is reached from elsewhere: {port}"));
    outer.to_owned()
}

/// What `cargo xtask env` prints.
fn printed() -> BTreeMap<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("env").output().expect("xtask");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(variable).collect()
}

fn variable(line: &str) -> (String, String) {
    let (name, value) = line.split_once('=').expect("name=value");
    let name = name.strip_prefix("export ").expect("a line for a shell");
    let value = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
    (name.to_owned(), value.expect("a quoted value").to_owned())
}

/// The names of the form DLOCK_…_URL in the sources and tests of every crate but this one.
fn read_by_tests(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in dir.read_dir().expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("xtask") {
            read_by_tests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source file");
            found.extend(text.split('"').filter(|part| is_url_variable(part)).map(str::to_owned));
        }
    }
}

fn is_url_variable(text: &str) -> bool {
    let name = text.strip_prefix("DLOCK_").and_then(|rest| rest.strip_suffix("_URL"));
    name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_uppercase()))
}

#[test]
fn every_database_is_there_and_on_the_loopback_interface_alone() {
    let ports = ports();
    assert_eq!(ports.keys().map(String::as_str).collect::<Vec<_>>(), SERVICES);
    let distinct: BTreeSet<_> = ports.values().collect();
    assert_eq!(distinct.len(), ports.len(), "two services on one port: {ports:?}");
}

#[test]
fn every_service_has_a_health_check_that_gives_up() {
    for (name, service) in services() {
        let check = service["healthcheck"].as_mapping_get("test");
        assert!(check.is_some_and(|check| check.is_sequence()), "{name} has no health check");
        for limit in ["interval", "timeout", "retries"] {
            let limits = service["healthcheck"].as_mapping_get(limit);
            assert!(limits.is_some(), "{name}'s health check has no {limit}");
        }
        assert!(!service.contains_mapping_key("network_mode"), "{name} leaves the loopback");
    }
}

#[test]
fn the_printed_variables_are_those_that_the_tests_read() {
    let mut read = BTreeSet::new();
    for place in ["crates", "dev"] {
        read_by_tests(&root().join(place), &mut read);
    }
    let printed: BTreeSet<String> = printed().into_keys().collect();
    assert_eq!(printed, read);
    for name in [PostgreSql::URL, Mysql::URL, Maria::URL] {
        assert!(printed.contains(name), "{name} is not printed");
    }
}

#[test]
fn the_printed_urls_lead_to_the_services() {
    let (ports, printed) = (ports(), printed());
    for (name, url) in &printed {
        let service = name.trim_start_matches("DLOCK_").trim_end_matches("_URL").to_lowercase();
        let port = ports.get(&service).unwrap_or_else(|| panic!("{name} has no service"));
        let here = [format!("127.0.0.1:{port}"), format!("127.0.0.1,{port}")];
        assert!(here.iter().any(|place| url.contains(place)), "{name}={url}: not on {port}");
    }
}

#[test]
fn the_printed_passwords_are_those_of_the_services() {
    let (services, printed) = (services(), printed());
    for (name, url) in &printed {
        let service = name.trim_start_matches("DLOCK_").trim_end_matches("_URL").to_lowercase();
        let environment = services[&service]["environment"].as_mapping().expect("environment");
        let password = environment.iter().find(|(key, _)| text_of(key).ends_with("PASSWORD"));
        let password = text_of(password.expect("a password").1);
        assert!(url.contains(&password), "{name}={url}: not with {password}");
    }
}
