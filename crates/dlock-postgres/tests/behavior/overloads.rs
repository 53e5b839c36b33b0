//! A database that is hostile to whoever does not say whose names are meant.
//!
//! What is overloaded is taken from the crate's own statements, so that a new one is tried too.

use crate::eye::{Eye, config, connect, connect_to, show};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use tokio_postgres::{Client, Config};

const STATEMENTS: &str =
    concat!(include_str!("../../src/statement.rs"), include_str!("../../src/locks/statement.rs"));

/// Overloads every function of these names with the system's own arguments, and makes a domain of every
/// type of these names. Whoever calls one of them is counted, and fails.
const OVERLOAD: &str = r#"
CREATE SCHEMA hostile;
CREATE SEQUENCE hostile.hits;
CREATE FUNCTION hostile.hit(name text) RETURNS boolean LANGUAGE plpgsql AS
  'BEGIN PERFORM pg_catalog.nextval(''hostile.hits''); RAISE EXCEPTION ''hostile %'', name; END';
DO $do$
DECLARE
  called pg_proc; kind pg_type; arguments text; result text; target text;
BEGIN
  FOR called IN SELECT * FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace
    AND (proname = ANY (names()) OR regexp_replace(proname, '_shared$', '') = ANY (names()))
    AND prokind = 'f'
  LOOP
    IF EXISTS (SELECT FROM unnest(called.proargtypes) a JOIN pg_type t ON t.oid = a
               WHERE t.typtype = 'p') THEN CONTINUE; END IF;
    SELECT string_agg(format_type(a, NULL), ',' ORDER BY o) INTO arguments
      FROM unnest(called.proargtypes) WITH ORDINALITY AS u(a, o);
    result := CASE WHEN called.prorettype = 'record'::regtype THEN 'SETOF pg_catalog.pg_locks'
                   ELSE format_type(called.prorettype, NULL) END;
    FOREACH target IN ARRAY ARRAY['hostile', 'public'] LOOP
      BEGIN
        EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', target,
          called.proname, coalesce(arguments, ''), result,
          format('BEGIN PERFORM hostile.hit(%L); END', called.proname));
        INSERT INTO made VALUES (called.proname);
      EXCEPTION WHEN invalid_function_definition OR duplicate_function OR feature_not_supported
        OR datatype_mismatch OR undefined_object THEN NULL;
      END;
    END LOOP;
  END LOOP;
  FOR kind IN SELECT * FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
    AND typname = ANY (names()) AND typtype = 'b'
  LOOP
    EXECUTE format('CREATE DOMAIN hostile.%I AS pg_catalog.text CHECK (hostile.hit(%L))',
      kind.typname, kind.typname);
    INSERT INTO made VALUES (kind.typname);
  END LOOP;
END $do$;
CREATE VIEW hostile.pg_locks AS SELECT hostile.hit('pg_locks') AS granted, 'advisory'::text AS locktype;
"#;

/// Overloads operators for every two of the types that the statements may compare.
const OPERATORS: &str = r"
DO $do$
DECLARE one text; two text; symbol text; target text;
  kinds text[] := '{bool,int2,int4,int8,oid,xid,text,name,varchar,numeric,timestamptz}';
BEGIN
  FOREACH target IN ARRAY ARRAY['hostile', 'public'] LOOP
    FOREACH one IN ARRAY kinds LOOP FOREACH two IN ARRAY kinds LOOP
      EXECUTE format('CREATE FUNCTION %I.operator(pg_catalog.%I, pg_catalog.%I) RETURNS boolean '
        'LANGUAGE plpgsql AS ''BEGIN RETURN hostile.hit(''''operator''''); END''', target, one, two);
      FOREACH symbol IN ARRAY symbols() LOOP
        EXECUTE format('CREATE OPERATOR %I.%s (LEFTARG = pg_catalog.%I, RIGHTARG = pg_catalog.%I, '
          'FUNCTION = %I.operator)', target, symbol, one, two, target);
      END LOOP;
    END LOOP; END LOOP;
  END LOOP;
END $do$;
";

/// The words of the statements: names of functions and types among them.
fn words() -> BTreeSet<&'static str> {
    STATEMENTS
        .split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter(|word| word.starts_with(|first: char| first.is_ascii_lowercase()))
        .collect()
}

/// The operators that are written with `OPERATOR(…)`, and those that stand between blanks.
pub(crate) fn symbols() -> BTreeSet<&'static str> {
    let qualified = STATEMENTS.split("OPERATOR(pg_catalog.").skip(1);
    let qualified = qualified.filter_map(|rest| rest.split(')').next());
    let symbols = "+-*/<>=~!@#%^&|";
    let bare = STATEMENTS.split([' ', '\'', '"', '(', ')', '\n']);
    let is_symbol = |word: &&str| !word.is_empty() && word.chars().all(|c| symbols.contains(c));
    // Rust's, which are none of SQL's; and a comment.
    let rusts = ["=>", "->", "//", "///", "//!", "&"];
    qualified.chain(bare).filter(is_symbol).filter(|word| !rusts.contains(word)).collect()
}

fn array<'a>(function: &str, values: impl IntoIterator<Item = &'a str>) -> String {
    let mut text =
        format!("CREATE FUNCTION {function}() RETURNS text[] LANGUAGE sql AS $$ SELECT '{{");
    for (number, value) in values.into_iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        write!(text, "{comma}\"{value}\"").unwrap();
    }
    text + "}'::text[] $$;"
}

/// A database whose `public` and a schema in front of `pg_catalog` are hostile.
pub(crate) struct Hostile {
    pub(crate) name: &'static str,
    pub(crate) admin: Client,
}

impl Hostile {
    pub(crate) async fn create(name: &'static str) -> Self {
        let outside = connect().await;
        outside.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let admin = connect_to(config().dbname(name)).await;
        admin.batch_execute("CREATE TABLE made (name text)").await.unwrap();
        admin.batch_execute(&array("names", words())).await.unwrap();
        admin.batch_execute(&array("symbols", symbols())).await.unwrap();
        admin.batch_execute(OVERLOAD).await.unwrap();
        admin.batch_execute(OPERATORS).await.unwrap();
        let grant = "GRANT USAGE ON SCHEMA hostile TO PUBLIC; GRANT ALL ON hostile.hits TO PUBLIC";
        admin.batch_execute(grant).await.unwrap();
        Self { name, admin }
    }

    /// In front of the system's names, and behind them where a better fit wins.
    pub(crate) fn configs(&self) -> [Config; 2] {
        ["hostile,pg_catalog,public", "public"].map(|path| {
            let mut config = config();
            config.dbname(self.name).options(format!("-c search_path={path}"));
            config
        })
    }

    pub(crate) async fn connect(config: &Config) -> Client {
        let client = connect_to(config).await;
        let table =
            "CREATE TEMP TABLE pg_locks (granted pg_catalog.bool, locktype pg_catalog.text)";
        client.batch_execute(table).await.unwrap();
        client
    }

    pub(crate) async fn eye(&self) -> Eye {
        Eye::at(config().dbname(self.name)).await
    }

    pub(crate) async fn untouched(self) {
        let called = "SELECT is_called FROM hostile.hits";
        assert_eq!(show(&self.admin, called).await, "f", "something of theirs was called");
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        connect().await.batch_execute(&drop).await.unwrap();
    }
}
