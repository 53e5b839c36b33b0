//! `cargo xtask env`: the variables that point the tests at the containers of compose.yaml.

/// Each database: the variable that the tests read, and where the container listens.
pub(crate) const VARIABLES: [(&str, &str); 5] = [
    ("DLOCK_POSTGRES_URL", "postgres://postgres:Dlock-2024@127.0.0.1:55432/postgres"),
    ("DLOCK_MYSQL_URL", "mysql://root:Dlock-2024@127.0.0.1:53306/dlock?prefer_socket=false"),
    ("DLOCK_MARIADB_URL", "mysql://root:Dlock-2024@127.0.0.1:53307/dlock?prefer_socket=false"),
    (
        "DLOCK_MSSQL_URL",
        "server=tcp:127.0.0.1,51433;user id=sa;password=Dlock-2024;database=master;\
         encrypt=DANGER_PLAINTEXT;TrustServerCertificate=true",
    ),
    ("DLOCK_ORACLE_URL", "system/Dlock-2024@127.0.0.1:51521/FREEPDB1"),
];

/// Prints lines for a shell: `eval "$(cargo xtask env)"`.
pub(crate) fn print() {
    for (name, value) in VARIABLES {
        println!("export {name}='{value}'");
    }
}
