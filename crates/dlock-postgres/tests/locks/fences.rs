//! Fenced transactions of two holders never overlap.

use crate::{address, client, config, in_time, locks, ms, towards};
use dlock_locks::{Error, FencedDriver, Lost, LostReason};
use dlock_postgres::{Held, Key, Locks, Server, ServerError};
use dlock_testkit::proxy::Proxy;
use dlock_testkit::server::Postgres;
use dlock_testkit::trial::BUSY;
use futures::future::join_all;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, Config, NoTls, Transaction};

async fn fenced(locks: &Locks, key: &str) -> Held {
    let request = locks.key(key).expect("a key").fenced();
    in_time(request.lock()).await.expect("a lock with a fence")
}

async fn with_tables(name: &str) -> Locks {
    let locks = locks(config(), name);
    in_time(locks.setup()).await.expect("tables");
    locks
}

fn is_fenced<T>(begun: Result<T, Error<ServerError>>) {
    let error = begun.map(drop).expect_err("it is refused");
    let is_fenced = |lost: &Lost| lost.reason() == LostReason::Fenced;
    assert!(matches!(&error, Error::Lost(lost) if is_fenced(lost)), "{error:?}");
}

async fn begin<'c>(held: &Held, client: &'c mut Client) -> Transaction<'c> {
    in_time(held.begin(client)).await.expect("a transaction")
}

/// Ends the sessions of this name.
async fn kill(client: &Client, name: &str) {
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    client.query(kill, &[&name]).await.expect("a kill");
}

async fn row_locks(client: &Client) -> i64 {
    let look = "SELECT count(*) FROM pg_locks \
                WHERE relation = 'public.dlock_fence'::regclass AND pid <> pg_backend_pid()";
    client.query_one(look, &[]).await.expect("a count").get(0)
}

#[tokio::test]
async fn tokens_rise_and_the_work_is_done() {
    let locks = with_tables("fence tokens").await;
    let mut client = client().await;
    client.batch_execute("CREATE TEMPORARY TABLE work (n int)").await.expect("a table");
    let mut last = 0;
    for _ in 0..5 {
        let held = fenced(&locks, "fence tokens").await;
        let token = held.token().expect("a token");
        assert!(token > last, "{token} after {last}");
        last = token;
        let transaction = begin(&held, &mut client).await;
        transaction.execute("INSERT INTO work VALUES (1)", &[]).await.expect("work");
        transaction.commit().await.expect("a commit");
        held.release().await.expect("a release");
    }
    let count: i64 = client.query_one("SELECT count(*) FROM work", &[]).await.unwrap().get(0);
    assert_eq!(count, 5);
}

/// The holder's session is killed, and it does not look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_stale_transactions_are_refused() {
    let [one, other] = [with_tables("fence stale one").await, locks(config(), "fence stale other")];
    let (mut client, eye) = (client().await, client().await);
    let stale = fenced(&one, "fence stale").await;
    begin(&stale, &mut client).await.commit().await.expect("a commit");
    kill(&eye, "fence stale one").await;
    let held = fenced(&other, "fence stale").await;
    assert!(held.token() > stale.token());
    for _ in 0..1000 {
        is_fenced(in_time(stale.begin(&mut client)).await);
    }
    for level in ["repeatable read", "serializable"] {
        let set = format!("SET default_transaction_isolation = '{level}'");
        client.batch_execute(&set).await.expect("a setting");
        is_fenced(in_time(stale.begin(&mut client)).await);
        begin(&held, &mut client).await.commit().await.expect("a commit");
    }
}

/// Nothing of a refused one stays, and the connection goes on.
#[tokio::test]
async fn a_refused_fence_leaves_no_row_lock() {
    let [one, other] = [with_tables("fence row one").await, locks(config(), "fence row other")];
    let (mut client, eye) = (client().await, client().await);
    let stale = fenced(&one, "fence row").await;
    kill(&eye, "fence row one").await;
    let held = fenced(&other, "fence row").await;
    is_fenced(in_time(stale.begin(&mut client)).await);
    let begun = Instant::now();
    held.release().await.expect("a release");
    fenced(&other, "fence row").await.release().await.expect("a release");
    assert!(begun.elapsed() < BUSY, "{:?}", begun.elapsed());
    client.batch_execute("SELECT 1").await.expect("the connection lives");
}

/// The next holder is told of its lock when the last fenced transaction of the one before is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_holder_waits_for_an_open_transaction() {
    let [one, other] = [with_tables("fence wait one").await, locks(config(), "fence wait other")];
    let (mut client, eye) = (client().await, client().await);
    let held = fenced(&one, "fence wait").await;
    let transaction = begin(&held, &mut client).await;
    kill(&eye, "fence wait one").await;
    let request = other.key("fence wait").expect("a key").fenced();
    let refused = in_time(request.lock_within(ms(300))).await;
    assert!(matches!(refused, Err(Error::TimedOut { .. })), "{refused:?}");
    let is_over = AtomicBool::new(false);
    let (next, ()) = tokio::join!(in_time(request.lock()), async {
        tokio::time::sleep(ms(300)).await;
        is_over.store(true, Ordering::SeqCst);
        transaction.commit().await.expect("a commit");
    });
    assert!(is_over.load(Ordering::SeqCst));
    let next = next.expect("a lock");
    begin(&next, &mut client).await.commit().await.expect("a commit");
}

/// Eight stale workers whose transactions overlap: new ones are refused once the bid is raised.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlapping_stale_transactions_keep_no_raise_waiting() {
    let [one, other] = [with_tables("fence many one").await, locks(config(), "fence many other")];
    let eye = client().await;
    let mut worst = Duration::ZERO;
    for _ in 0..3 {
        let stale = fenced(&one, "fence many").await;
        let (refused, begun) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let workers = join_all((0..8).map(async |number| {
            let mut client = client().await;
            tokio::time::sleep(ms(6) * number).await;
            loop {
                let Ok(transaction) = stale.begin(&mut client).await else { break };
                begun.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(ms(50)).await;
                transaction.commit().await.expect("a commit");
            }
            refused.fetch_add(1, Ordering::SeqCst);
        }));
        let raise = async {
            tokio::time::sleep(ms(500)).await;
            kill(&eye, "fence many one").await;
            let asked = Instant::now();
            let held = fenced(&other, "fence many").await;
            (held, asked.elapsed())
        };
        let (_, (held, took)) = in_time(async { tokio::join!(workers, raise) }).await;
        assert_eq!(refused.load(Ordering::SeqCst), 8);
        assert!(begun.load(Ordering::SeqCst) > 8, "they overlapped");
        worst = worst.max(took);
        held.release().await.expect("a release");
    }
    println!("a raise against 8 stale workers: {worst:?} at worst");
    assert!(worst < BUSY, "{worst:?}");
}

/// A client that vanished inside a fenced transaction stands in the way for the time that it was given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vanished_client_stands_in_the_way_for_its_time() {
    use dlock_locks::FencedConnection;

    let [one, other] = [with_tables("fence gone one").await, locks(config(), "fence gone other")];
    let proxy = Proxy::start(address()).expect("a proxy");
    let (mut far, connection) = towards(proxy.addr()).connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let held = fenced(&one, "fence gone").await;
    let (key, token) = (held.key().clone(), held.token().expect("a token"));
    let begun: Result<Option<Transaction<'_>>, ServerError> =
        FencedConnection::<Server>::begin(&mut far, &key, token, ms(1500)).await;
    let transaction = begun.expect("an answer").expect("it is passed");
    let asked = Instant::now();
    proxy.blackhole();
    held.release().await.expect("a release");
    let next = fenced(&other, "fence gone").await;
    println!("a vanished client stood in the way for {:?}", asked.elapsed());
    assert!(
        asked.elapsed() > ms(1000) && asked.elapsed() < ms(1500) + BUSY,
        "{:?}",
        asked.elapsed()
    );
    next.release().await.expect("a release");
    drop(transaction);
}

/// Two machines work on a register; their sessions are killed again and again, and they do not look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_of_two_holders_never_overlap() {
    let machines = [with_tables("fence reg one").await, locks(config(), "fence reg other")];
    let eye = client().await;
    let register = "CREATE TABLE IF NOT EXISTS public.dlock_register (n bigint); \
                    TRUNCATE public.dlock_register; INSERT INTO public.dlock_register VALUES (0)";
    eye.batch_execute(register).await.expect("a register");
    let (done, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let machine = async |locks: &Locks| {
        let mut client = client().await;
        while !is_over.load(Ordering::SeqCst) {
            let held = fenced(locks, "fence register").await;
            for _ in 0..20 {
                let Ok(transaction) = held.begin(&mut client).await else { break };
                let read = "SELECT n FROM public.dlock_register";
                let n: i64 = transaction.query_one(read, &[]).await.expect("a number").get(0);
                tokio::time::sleep(ms(3)).await;
                let write = "UPDATE public.dlock_register SET n = $1";
                transaction.execute(write, &[&(n + 1)]).await.expect("a write");
                transaction.commit().await.expect("a commit");
                done.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
    let trouble = async {
        for round in 0..30 {
            tokio::time::sleep(ms(100)).await;
            kill(&eye, ["fence reg one", "fence reg other"][round % 2]).await;
        }
        is_over.store(true, Ordering::SeqCst);
    };
    in_time(async { tokio::join!(machine(&machines[0]), machine(&machines[1]), trouble) }).await;
    let n: i64 = eye.query_one("SELECT n FROM public.dlock_register", &[]).await.unwrap().get(0);
    println!("{n} transactions of two holders");
    assert_eq!(usize::try_from(n).unwrap(), done.load(Ordering::SeqCst), "one was overwritten");
    assert_eq!(row_locks(&eye).await, 0);
}

/// A transaction of the caller's own is neither a fence nor touched.
#[tokio::test]
async fn a_transaction_begun_by_hand_goes_on() {
    let locks = with_tables("fence by hand").await;
    let mut client = client().await;
    let held = fenced(&locks, "fence by hand").await;
    client.batch_execute("BEGIN; CREATE TEMPORARY TABLE mine (n int)").await.expect("a begin");
    let refused = in_time(held.begin(&mut client)).await.map(drop).expect_err("it is refused");
    let Error::Driver { source, .. } = &refused else { panic!("{refused:?}") };
    assert!(matches!(**source, ServerError::InTransaction), "{refused:?}");
    client.batch_execute("INSERT INTO mine VALUES (1); COMMIT").await.expect("it goes on");
    client.batch_execute("SELECT * FROM mine").await.expect("it was committed");
    begin(&held, &mut client).await.commit().await.expect("a commit");
}

/// What is missing is said with what makes it; a role needs no more than is said.
#[tokio::test]
async fn missing_tables_and_grants_are_told() {
    let server = Postgres::start(&[]).expect("a PostgreSQL server");
    let config: Config = server.url().parse().expect("a URL");
    let [owner, mut app] = [locks(config.clone(), "owner"), locks(config.clone(), "app")];
    let source = async |locks: &Locks| {
        let refused = in_time(locks.key("k").expect("a key").fenced().lock()).await;
        match refused.map(drop) {
            Err(error @ Error::Setup { .. }) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let said = source(&owner).await;
    assert!(said.contains("CREATE TABLE IF NOT EXISTS public.dlock_bid"), "{said}");
    in_time(async { tokio::join!(owner.setup(), owner.setup()) }).await.0.expect("tables");
    in_time(owner.setup()).await.expect("they are there");
    let (admin, connection) = config.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    admin.batch_execute("CREATE ROLE app LOGIN").await.expect("a role");
    let mut as_app = config.clone();
    as_app.user("app");
    app.close().await;
    app = locks(as_app.clone(), "app");
    let refused = in_time(app.setup()).await.expect_err("it may not create tables");
    assert!(matches!(refused, Error::Setup { .. }), "{refused:?}");
    let said = source(&app).await;
    assert!(said.contains("GRANT") || said.contains("grant SELECT, INSERT and UPDATE"), "{said}");
    let grant = "GRANT SELECT, INSERT, UPDATE ON public.dlock_bid, public.dlock_fence TO app";
    admin.batch_execute(grant).await.expect("a grant");
    let (mut client, connection) = as_app.connect(NoTls).await.expect("a connection");
    tokio::spawn(connection);
    let held = fenced(&app, "k").await;
    begin(&held, &mut client).await.commit().await.expect("a commit");
    assert!(Server::DDL.contains("dlock_fence"));
}

/// The statement that the documentation has for other libraries, at each level.
#[tokio::test]
async fn a_fence_by_hand() {
    let fence = "SELECT f.n, (SELECT b.n FROM public.dlock_bid b WHERE b.key = f.key) \
                 FROM public.dlock_fence f WHERE f.key = $1 FOR SHARE OF f";
    let [one, other] = [with_tables("hand one").await, locks(config(), "hand other")];
    let (mut client, eye) = (client().await, client().await);
    for key in [Key::from("fence hand"), Key::from((7, -1))] {
        let held = in_time(one.key(&key).expect("a key").fenced().lock()).await.expect("a lock");
        let name = held.key().number().to_string();
        let token = i64::try_from(held.token().expect("a token")).expect("a number");
        let transaction = client.transaction().await.expect("a transaction");
        let row = transaction.query_one(fence, &[&name]).await.expect("a row");
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (token, token));
        kill(&eye, "hand one").await;
        let request = other.key(&key).expect("a key").fenced();
        let refused = in_time(request.lock_within(ms(300))).await;
        assert!(matches!(refused, Err(Error::TimedOut { .. })), "{refused:?}");
        transaction.commit().await.expect("a commit");
        let next = in_time(request.lock()).await.expect("a lock");
        let row = client.query_one(fence, &[&name]).await.expect("a row");
        assert!(row.get::<_, i64>(0) > token, "refused: it is another's");
        next.release().await.expect("a release");
    }
}
