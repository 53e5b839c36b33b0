//! What `--json` writes: a promise.

pub(super) const ROWS: &str = "\
With --json, an array that has an object for each hold and each wait:
  key            text: the key as the server knows it, which `dlock key` shows
  mode           text: exclusive, shared, update, or a mode of Oracle's
  state          text: holds or waits
  session        text: the number of the session
  user           text, or null where the server does not tell
  host           text, or null
  application    text, or null
  since_seconds  number, or null: for how long, or how long the session has been in its present state
Later versions may add fields, and take none away.";

pub(super) const FINDINGS: &str = "\
With --json, an array that has an object for each finding:
  severity       text: fault, warning or note
  name           text: what was found, such as transaction-pooler; it does not change
  what, why      text: a sentence each
  advice         text: what to do
Later versions may add fields, and take none away.";

pub(super) const NAMES: &str = "\
With --json, an object:
  postgres       text: the number on PostgreSQL
  mysql          text: the name on MySQL and MariaDB, or null where it cannot be one
  mssql          text: the name on SQL Server, or null where it cannot be one
  oracle         text: the number on Oracle
Later versions may add fields, and take none away.";
