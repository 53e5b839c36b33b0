//! Tries and releases of many keys in one statement: a row of one text, with one digit for each key.

use super::name;
use crate::Key;

/// Takes a key if it is free: 1. 0 where somebody holds it, this session included, which would be granted it
/// once more; 2 where the server says neither.
pub(crate) fn attempt(is_mariadb: bool, key: &Key) -> String {
    let name = name(is_mariadb, key);
    format!("IF(IS_USED_LOCK({name})=CONNECTION_ID(),0,IFNULL(GET_LOCK({name},0),2))")
}

/// The same with the key's bytes, in hexadecimal, as both parameters.
pub(crate) fn attempt_prepared(is_mariadb: bool) -> String {
    let name = parameter(is_mariadb);
    all(&[format!("IF(IS_USED_LOCK({name})=CONNECTION_ID(),0,IFNULL(GET_LOCK({name},0),2))")])
}

/// The same with the key's bytes, in hexadecimal, as its parameter.
pub(crate) fn release_prepared(is_mariadb: bool) -> String {
    all(&[format!("IFNULL(RELEASE_LOCK({}),0)", parameter(is_mariadb))])
}

/// A key that is told later, whatever the connection's character set is.
fn parameter(is_mariadb: bool) -> &'static str {
    if is_mariadb { "UNHEX(?)" } else { "CONVERT(UNHEX(?) USING utf8mb4)" }
}

/// Lets a key go: 1 where this session held it.
pub(crate) fn release(is_mariadb: bool, key: &Key) -> String {
    format!("IFNULL(RELEASE_LOCK({}),0)", name(is_mariadb, key))
}

/// The same of MySQL, but where the key is one of these to the server.
pub(crate) fn release_unless_one_of(key: &Key, others: &[&Key]) -> String {
    let others = Vec::from_iter(others.iter().map(|other| folded(other)));
    let (key, others, release) = (folded(key), others.join(","), release(false, key));
    format!("IF({key} IN ({others}),0,{release})")
}

/// What MySQL knows a name by. It is so for each character that a name may have.
pub(crate) fn folded(key: &Key) -> String {
    format!("CAST(LOWER({} COLLATE utf8mb4_general_ci) AS BINARY)", name(false, key))
}

/// All of these, from the first to the last.
pub(crate) fn all(parts: &[String]) -> String {
    format!("SELECT CONCAT({}) LIMIT 1", parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::{all, attempt, release, release_unless_one_of};
    use crate::Key;

    #[test]
    fn each_try_looks_whether_the_session_holds_the_key() {
        let parts = [attempt(true, &Key::from(1)), release(false, &Key::from(2))];
        let attempt = "IF(IS_USED_LOCK(0x31)=CONNECTION_ID(),0,IFNULL(GET_LOCK(0x31,0),2))";
        let release = "IFNULL(RELEASE_LOCK(_utf8mb4 0x32),0)";
        assert_eq!(all(&parts), format!("SELECT CONCAT({attempt},{release}) LIMIT 1"));
    }

    #[test]
    fn a_twin_keeps_what_it_holds() {
        let [key, twin] = ["a", "A"].map(|text| Key::try_from(text).unwrap());
        let folded =
            |hex| format!("CAST(LOWER(_utf8mb4 {hex} COLLATE utf8mb4_general_ci) AS BINARY)");
        let (key_folded, twin_folded) = (folded("0x61"), folded("0x41"));
        let release = "IFNULL(RELEASE_LOCK(_utf8mb4 0x61),0)";
        let expected = format!("IF({key_folded} IN ({twin_folded}),0,{release})");
        assert_eq!(release_unless_one_of(&key, &[&twin]), expected);
    }
}
