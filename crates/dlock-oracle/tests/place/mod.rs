//! Where the tests connect to, and what an observer sees there.

use oracle::pool::{Pool, PoolBuilder};
use oracle::{Connection, InitParams};
use std::env;
use std::sync::LazyLock;

/// A database to connect to.
pub(crate) struct Place {
    user: String,
    password: String,
    pub(crate) database: String,
}

/// Where an Oracle client library is looked for when a real database is meant: the stand-in lies
/// beside the test executable, and would be found first.
const CLIENT: &str = "/opt/oracle/instantclient";

static REAL: LazyLock<Option<Place>> = LazyLock::new(|| {
    let url = env::var("DLOCK_ORACLE_URL").ok()?;
    let directory = env::var("DLOCK_ORACLE_CLIENT").unwrap_or_else(|_| CLIENT.to_owned());
    let mut client = InitParams::new();
    client.oracle_client_lib_dir(directory).expect("a directory without a null character");
    client
        .init()
        .expect("an Oracle client library, in the directory that DLOCK_ORACLE_CLIENT names");
    Some(Place::parse(&url).expect("DLOCK_ORACLE_URL is user/password@host:port/service"))
});

impl Place {
    fn parse(url: &str) -> Option<Self> {
        let (user, rest) = url.split_once('/')?;
        let (password, database) = rest.rsplit_once('@')?;
        let [user, password, database] = [user, password, database].map(str::to_owned);
        Some(Self { user, password, database })
    }

    /// The database that `DLOCK_ORACLE_URL` names, or a simulated one of this name.
    pub(crate) fn named(name: &str) -> Self {
        let [user, password] = ["scott", "tiger"].map(str::to_owned);
        match &*REAL {
            Some(Place { user, password, database }) => {
                let [user, password, database] = [user, password, database].map(String::clone);
                Self { user, password, database }
            }
            None => Self { user, password, database: name.to_owned() },
        }
    }

    #[allow(dead_code, reason = "a lock takes connections that are open")]
    pub(crate) fn credentials(&self) -> (&str, &str) {
        (&self.user, &self.password)
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::connect(&self.user, &self.password, &self.database).expect("a connection")
    }

    /// A pool that makes sessions as they are asked for.
    #[allow(dead_code, reason = "the promises need none")]
    pub(crate) fn pool(&self) -> Pool {
        let pool = PoolBuilder::new(&*self.user, &*self.password, &*self.database)
            .max_connections(4)
            .build();
        pool.expect("a pool")
    }
}

/// How many sessions hold the id, and how many wait for it.
pub(crate) fn count(observer: &Connection, id: u32) -> (usize, usize) {
    let query = |part: &str| {
        let text =
            format!("select count(*) from v$lock where type = 'UL' and id1 = :1 and {part} > 0");
        observer.query_row_as::<usize>(&text, &[&id]).expect("V$LOCK can be read")
    };
    (query("lmode"), query("request"))
}

/// `sid,serial#` of every session that awaits the id, then of every one that holds it: the end of a
/// holder grants the id to whoever still waits.
#[allow(dead_code, reason = "the promises of `Locks` end holders alone")]
pub(crate) fn sessions(observer: &Connection, id: u32) -> Vec<String> {
    let waiting = part(observer, id, "request").into_iter();
    waiting.chain(part(observer, id, "lmode")).collect()
}

/// The same of those that hold it.
#[allow(dead_code, reason = "for the promises of `Locks`")]
pub(crate) fn holding(observer: &Connection, id: u32) -> Vec<String> {
    part(observer, id, "lmode")
}

fn part(observer: &Connection, id: u32, part: &str) -> Vec<String> {
    let text = format!("select sid from v$lock where type = 'UL' and id1 = :1 and {part} > 0");
    let sids = observer.query_as::<i64>(&text, &[&id]).expect("V$LOCK can be read");
    let address = |sid: i64| {
        let text = "select serial# from v$session where sid = :1";
        let serial = observer.query_row_as::<i64>(text, &[&sid]).ok()?;
        Some(format!("{sid},{serial}"))
    };
    sids.filter_map(|sid| address(sid.expect("a number"))).collect()
}
