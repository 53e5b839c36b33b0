//! The stand-in as the `oracle` crate and ODPI-C see it.

mod support;

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use oracle::conn::CloseMode;
use oracle::pool::PoolBuilder;
use oracle::sql_type::OracleType;
use oracle::{ConnStatus, Connection, ErrorKind};
use support::{address, block, code, connect, holders, release, request, run, waiters, waiting};

#[test]
fn a_query_gives_rows() {
    let connection = connect("rows");
    assert_eq!(connection.query_row_as::<i64>("select 77 from dual", &[]).unwrap(), 77);
    let text =
        "select user, sys_context('userenv', 'db_name') as name, -1.5, null from dual where :1 = 3";
    let row =
        connection.query_row_as::<(String, String, f64, Option<String>)>(text, &[&3]).unwrap();
    assert_eq!(row, ("SCOTT".to_owned(), "rows".to_owned(), -1.5, None));
    assert!(connection.query_row_as::<i64>("select 1 from dual where 1 = 2", &[]).is_err());
    assert_eq!(connection.status().unwrap(), ConnStatus::Normal);
    connection.ping().unwrap();
    assert_eq!(connection.server_version().unwrap().0.major(), 21);
    connection.close().unwrap();
    assert_eq!(connection.status().unwrap(), ConnStatus::Closed);
}

#[test]
fn binds_go_in_and_out() {
    let connection = connect("binds");
    let text =
        "declare n pls_integer := :a; begin :b := n * 2 + length(:c); :d := upper(:c) || '!'; end;";
    let mut statement = connection.statement(text).build().unwrap();
    let out = OracleType::Varchar2(20);
    let number = OracleType::Number(10, 0);
    statement.execute_named(&[("a", &21), ("b", &number), ("c", &"naïve"), ("d", &out)]).unwrap();
    assert_eq!(statement.bind_value::<_, i64>("b").unwrap(), 47);
    assert_eq!(statement.bind_value::<_, String>("d").unwrap(), "NAÏVE!");
    let null = block(&connection, "begin :1 := null; end;", &[]).unwrap_err();
    assert_eq!(null.kind(), ErrorKind::NullValue);
}

#[test]
fn blocks_have_loops_branches_and_handlers() {
    let connection = connect("blocks");
    let text = "
        declare
            total number(10) := 0;
            odd exception;
            pragma exception_init(odd, -20001);
        begin
            :1 := 0;
            for i in 1..10 loop
                continue when mod(i, 2) = 0;
                exit when i > 7;
                if i = 3 then total := total + 100; elsif i in (5, 6) then total := total + 1000; else null; end if;
                total := total + i;
            end loop;
            while total < :2 loop total := total + 1; end loop;
            begin
                raise_application_error(-20001, 'odd');
            exception
                when no_data_found then :1 := 0;
                when odd then :1 := total - sqlcode;
            end;
        end;";
    assert_eq!(block(&connection, text, &[&0]).unwrap(), 16 + 1100 + 20001);
    assert_eq!(block(&connection, text, &[&2000]).unwrap(), 2000 + 20001);
}

#[test]
fn what_is_not_plsql_is_refused() {
    let connection = connect("refused");
    let cases = [
        ("begin :1 := dbms_lock.request(:1, 6, 0) end;", "PLS-00103"),
        ("begin :1 := 1;", "PLS-00103"),
        ("begin :1 := 1; end", "PLS-00103"),
        ("begin :1 := nonsense; end;", "PLS-00201"),
        ("begin :1 := dbms_lock.lock_it(1); end;", "PLS-00201"),
        ("begin :1 := dbms_lock.request(id => 1, mode => 6); end;", "PLS-00306"),
        ("begin :1 := dbms_lock.request(1, 6, 0, 1); end;", "PLS-00306"),
        ("begin :1 := dbms_lock.request(1, 6, 0, false, 1); end;", "PLS-00306"),
        ("begin if false then :1 := dbms_lock.release(true); end if; end;", "PLS-00306"),
        ("begin dbms_lock.release(1); :1 := 1; end;", "PLS-00221"),
        ("begin :1 := (1 = 1); end;", "PLS-00382"),
        ("begin dbms_lock.allocate_unique('a', 'b'); :1 := 1; end;", "PLS-00363"),
        ("declare c constant integer := 1; begin c := 2; :1 := c; end;", "PLS-00363"),
    ];
    for (text, expected) in cases {
        let error = block(&connection, text, &[]).unwrap_err();
        assert_eq!(error.oci_code(), Some(6550), "{text}: {error}");
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
    assert_eq!(connection.execute("lock it", &[]).unwrap_err().oci_code(), Some(900));
    let boolean = connection.query("select dbms_lock.request(1, 6, 0, false) from dual", &[]);
    assert_eq!(boolean.err().and_then(|error| error.oci_code()), Some(904));
}

#[test]
fn a_request_is_granted_refused_and_timed_out() {
    let (first, second) = (connect("request"), connect("request"));
    assert_eq!(request(&first, 7, 6, 0).unwrap(), 0);
    assert_eq!(request(&first, 7, 6, 0).unwrap(), 4);
    assert_eq!(request(&second, 7, 6, 0).unwrap(), 1);
    let start = Instant::now();
    assert_eq!(request(&second, 7, 6, 1).unwrap(), 1);
    assert!(start.elapsed() >= Duration::from_secs(1));
    for (id, mode, timeout) in
        [(-1, 6, 0), (1_073_741_824, 6, 0), (7, 0, 0), (7, 7, 0), (7, 6, -1), (7, 6, 32_768)]
    {
        assert_eq!(request(&second, id, mode, timeout).unwrap(), 3, "{id} {mode} {timeout}");
    }
    assert_eq!(release(&second, 7).unwrap(), 4);
    assert_eq!(release(&first, 7).unwrap(), 0);
    assert_eq!(request(&second, 7, 6, 0).unwrap(), 0);
    assert_eq!(request(&connect("another"), 7, 6, 0).unwrap(), 0, "a database of its own");
    let text = "begin :1 := sys.dbms_lock.convert(id => :2, lockmode => dbms_lock.s_mode, timeout => 0); end;";
    assert_eq!(block(&second, text, &[&7]).unwrap(), 0);
    assert_eq!(block(&first, text, &[&7]).unwrap(), 4);
    assert_eq!(request(&first, 7, 4, 0).unwrap(), 0);
}

#[test]
fn a_waiter_gets_the_lock_when_it_is_free() {
    let (holder, waiter, observer) = (connect("waiter"), connect("waiter"), connect("waiter"));
    request(&holder, 7, 6, 0).unwrap();
    let waiting = waiting(&waiter, &observer, 7);
    assert_eq!((holders(&observer, 7), waiters(&observer, 7)), (1, 1));
    release(&holder, 7).unwrap();
    assert_eq!(waiting.join().unwrap().0.unwrap(), 0);
    drop(waiter);
    assert_eq!(request(&holder, 7, 6, 1).unwrap(), 0, "the end of a session frees its locks");
}

#[test]
fn a_transaction_frees_its_locks_at_its_end() {
    let (first, second) = (connect("commit"), connect("commit"));
    let take = "begin :1 := dbms_lock.request(:2, 6, 0, release_on_commit => (:3 = 1)); end;";
    let ends: [fn(&Connection); 4] = [
        |c| c.commit().unwrap(),
        |c| c.rollback().unwrap(),
        |c| run(c, "commit"),
        |c| run(c, "begin rollback; end;"),
    ];
    for end in ends {
        assert_eq!(block(&first, take, &[&7, &1]).unwrap(), 0);
        assert_eq!(block(&first, take, &[&8, &0]).unwrap(), 0);
        end(&first);
        assert_eq!(request(&second, 7, 6, 0).unwrap(), 0);
        assert_eq!(request(&second, 8, 6, 0).unwrap(), 1);
        assert_eq!(release(&first, 7).unwrap(), 4);
        assert_eq!((release(&second, 7).unwrap(), release(&first, 8).unwrap()), (0, 0));
    }
    let mut owned = Connection::connect("scott", "tiger", "commit").unwrap();
    owned.set_autocommit(true);
    assert_eq!(block(&owned, take, &[&7, &1]).unwrap(), 0);
    assert_eq!(
        release(&owned, 7).unwrap(),
        4,
        "autocommit ends the transaction of every statement"
    );
}

#[test]
fn allocate_unique_commits_and_its_autonomous_sister_does_not() {
    let (first, second) = (connect("allocate"), connect("allocate"));
    let canary = "begin :1 := dbms_lock.request(9, 6, 0, true); end;";
    let by_name = |routine: &str| {
        format!(
            "declare h varchar2(128); begin dbms_lock.{routine}('invoice', h); :1 := dbms_lock.request(h, 6, 0); end;"
        )
    };
    block(&first, canary, &[]).unwrap();
    assert_eq!(block(&first, &by_name("allocate_unique_autonomous"), &[]).unwrap(), 0);
    assert_eq!(release(&first, 9).unwrap(), 0);
    block(&first, canary, &[]).unwrap();
    assert_eq!(
        block(&second, &by_name("allocate_unique"), &[]).unwrap(),
        1,
        "the same name, the same lock"
    );
    assert_eq!(block(&first, &by_name("allocate_unique"), &[]).unwrap(), 4);
    assert_eq!(release(&first, 9).unwrap(), 4);
    assert_eq!(block(&first, "begin :1 := dbms_lock.release('nonsense'); end;", &[]).unwrap(), 5);
}

#[test]
fn a_deadlock_is_seen_after_the_delay_and_only_then() {
    let (first, second, observer) = (connect("deadlock"), connect("deadlock"), connect("deadlock"));
    run(&observer, "alter system set \"_standin_deadlock_ms\" = '300'");
    request(&first, 7, 6, 0).unwrap();
    request(&second, 8, 6, 0).unwrap();
    let (start, (tell, told)) = (Instant::now(), mpsc::channel());
    for (connection, held, wanted) in [(first, 7, 8), (second, 8, 7)] {
        let tell = tell.clone();
        thread::spawn(move || {
            let code = request(&connection, wanted, 6, 32767).unwrap();
            tell.send((code, start.elapsed(), connection, held)).unwrap();
        });
    }
    // On a busy machine either of them may be the one that looks when both wait.
    let (code, after, victim, held) = told.recv().unwrap();
    assert_eq!(code, 2);
    assert!(after >= Duration::from_millis(300), "{after:?}");
    assert_eq!(release(&victim, held).unwrap(), 0, "the victim keeps what it had");
    assert_eq!(told.recv().unwrap().0, 0);
}

#[test]
fn a_prompt_break_ends_the_wait() {
    let (holder, waiter, observer) = (connect("break"), connect("break"), connect("break"));
    request(&holder, 7, 6, 0).unwrap();
    let waiting = waiting(&waiter, &observer, 7);
    waiter.break_execution().unwrap();
    let (result, elapsed) = waiting.join().unwrap();
    assert_eq!(result.unwrap_err().oci_code(), Some(1013));
    assert!(elapsed < Duration::from_secs(2));
    assert_eq!(waiters(&observer, 7), 0);
    assert_eq!(request(&waiter, 8, 6, 0).unwrap(), 0);
}

#[test]
fn a_late_break_hides_a_lock_that_was_granted() {
    let (holder, waiter, observer) = (connect("late"), connect("late"), connect("late"));
    run(&waiter, "alter session set \"_standin_break\" = 'late'");
    request(&holder, 7, 6, 0).unwrap();
    let waiting = waiting(&waiter, &observer, 7);
    waiter.break_execution().unwrap();
    thread::sleep(Duration::from_millis(50));
    assert_eq!(waiters(&observer, 7), 1);
    release(&holder, 7).unwrap();
    assert_eq!(waiting.join().unwrap().0.unwrap_err().oci_code(), Some(1013));
    assert_eq!(release(&waiter, 7).unwrap(), 0);
}

#[test]
fn a_break_may_go_astray_or_get_lost() {
    let (holder, waiter, observer) = (connect("stray"), connect("stray"), connect("stray"));
    for (mode, next) in [("stray", Some(1013)), ("ignored", None)] {
        run(&waiter, &format!("alter session set \"_standin_break\" = '{mode}'"));
        request(&holder, 7, 6, 0).unwrap();
        let waiting = waiting(&waiter, &observer, 7);
        waiter.break_execution().unwrap();
        release(&holder, 7).unwrap();
        assert_eq!(waiting.join().unwrap().0.unwrap(), 0);
        let stray = waiter.query_row_as::<i64>("select 77 from dual", &[]);
        assert_eq!(stray.err().and_then(|error| error.oci_code()), next, "{mode}");
        assert_eq!(release(&waiter, 7).unwrap(), 0);
    }
}

#[test]
fn a_killed_session_frees_its_locks_and_learns_at_its_next_call() {
    let (holder, waiter, observer) = (connect("kill"), connect("kill"), connect("kill"));
    let victim = address(&waiter);
    request(&holder, 7, 6, 0).unwrap();
    let waiting = waiting(&waiter, &observer, 7);
    run(&observer, &format!("alter system kill session '{victim}' immediate"));
    let killed = waiting.join().unwrap().0.unwrap_err();
    assert_eq!(killed.dpi_code(), Some(1080));
    assert!(killed.to_string().contains("ORA-00028"), "{killed}");
    assert_eq!(request(&waiter, 8, 6, 0).unwrap_err().dpi_code(), Some(1010));
    run(&observer, &format!("alter system kill session '{}'", address(&holder)));
    assert_eq!(request(&observer, 7, 6, 0).unwrap(), 0);
    assert!(release(&holder, 7).unwrap_err().to_string().contains("ORA-00028"));
}

#[test]
fn a_cut_connection_ends_in_an_error() {
    let (holder, waiter, observer) = (connect("cut"), connect("cut"), connect("cut"));
    let victim = address(&waiter);
    request(&holder, 7, 6, 0).unwrap();
    let waiting = waiting(&waiter, &observer, 7);
    run(&observer, &format!("alter system disconnect session '{victim}' immediate"));
    let lost = waiting.join().unwrap().0.unwrap_err();
    assert!(lost.to_string().contains("ORA-03113"), "{lost}");
    assert_eq!(code(&release(&waiter, 7).unwrap_err()), Some(1010));
    assert_eq!(waiter.status().unwrap(), ConnStatus::Closed);
}

#[test]
fn a_call_timeout_ends_the_call() {
    let (holder, waiter) = (connect("timeout"), connect("timeout"));
    request(&holder, 7, 6, 0).unwrap();
    waiter.set_call_timeout(Some(Duration::from_millis(100))).unwrap();
    assert_eq!(request(&waiter, 7, 6, 32767).unwrap_err().dpi_code(), Some(1067));
    assert_eq!(request(&waiter, 8, 6, 0).unwrap(), 0, "the session lives on");
    run(&waiter, "alter session set \"_standin_break\" = 'ignored'");
    assert_eq!(request(&waiter, 7, 6, 32767).unwrap_err().dpi_code(), Some(1080));
}

#[test]
fn a_frozen_server_answers_only_who_froze_it() {
    let (client, observer) = (connect("frozen"), connect("frozen"));
    run(&observer, "alter system set \"_standin_frozen\" = 'true'");
    let frozen = thread::spawn({
        let client = client.clone();
        move || request(&client, 7, 6, 0).unwrap()
    });
    thread::sleep(Duration::from_millis(50));
    assert!(!frozen.is_finished());
    assert_eq!(holders(&observer, 7), 0);
    run(&observer, "alter system set \"_standin_frozen\" = 'false'");
    assert_eq!(frozen.join().unwrap(), 0);
}

#[test]
fn a_block_sleeps_and_knows_the_time() {
    let connection = connect("sleep");
    let text = "
        declare
            start_cs number := dbms_utility.get_time;
            since timestamp with time zone := systimestamp;
            passed interval day to second;
        begin
            while dbms_utility.get_time - start_cs < 20 loop dbms_session.sleep(0.01); end loop;
            passed := systimestamp - since;
            :1 := round(extract(second from passed) * 1000);
        end;";
    let start = Instant::now();
    let passed = block(&connection, text, &[]).unwrap();
    assert!((190..400).contains(&passed), "{passed} ms");
    assert!(start.elapsed() >= Duration::from_millis(190));
}

#[test]
fn one_call_at_a_time_on_a_connection() {
    let connection = connect("turns");
    let sleeper = thread::spawn({
        let connection = connection.clone();
        move || run(&connection, "begin dbms_lock.sleep(0.3); end;")
    });
    thread::sleep(Duration::from_millis(50));
    let start = Instant::now();
    connection.ping().unwrap();
    assert!(start.elapsed() >= Duration::from_millis(200));
    sleeper.join().unwrap();
}

#[test]
fn without_the_grant_the_package_does_not_exist() {
    let connection = Connection::connect("nogrant", "tiger", "grant").unwrap();
    let error = request(&connection, 7, 6, 0).unwrap_err();
    assert_eq!(error.oci_code(), Some(6550));
    assert!(
        error.to_string().contains("PLS-00201: identifier 'DBMS_LOCK' must be declared"),
        "{error}"
    );
    let wrong =
        Connection::connect("scott", "wrong", "grant").err().and_then(|error| error.oci_code());
    assert_eq!(wrong, Some(1017));
}

/// A session's end waits for the call that runs, and a break may meet it.
#[test]
fn the_end_of_a_session_is_a_call_like_others() {
    let (connection, observer) = (connect("log-off"), connect("log-off"));
    assert_eq!(request(&connection, 7, 6, 0).unwrap(), 0);
    let busy = Arc::clone(&connection);
    let statement =
        thread::spawn(move || busy.execute("begin dbms_lock.sleep(0.3); end;", &[]).map(drop));
    thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    connection.close().unwrap();
    assert!(start.elapsed() > Duration::from_millis(100), "{:?}", start.elapsed());
    statement.join().unwrap().unwrap();
    assert_eq!(holders(&observer, 7), 0);
    let connection = connect("log-off");
    assert_eq!(request(&connection, 7, 6, 0).unwrap(), 0);
    connection.break_execution().unwrap();
    assert_eq!(code(&connection.close().unwrap_err()), Some(1013));
    assert_eq!(holders(&observer, 7), 1);
    connection.close().unwrap();
    assert_eq!(holders(&observer, 7), 0);
}

/// A pool keeps a session, and what it holds; one that is dropped is gone.
#[test]
fn a_pool_keeps_sessions() {
    let observer = connect("pool");
    let pool = PoolBuilder::new("scott", "tiger", "pool").max_connections(4).build().unwrap();
    let connection = pool.get().unwrap();
    let first = address(&connection);
    assert_eq!(request(&connection, 7, 6, 0).unwrap(), 0);
    connection.close().unwrap();
    assert_eq!(holders(&observer, 7), 1, "the pool knows nothing of locks");
    let connection = pool.get().unwrap();
    assert_eq!(address(&connection), first);
    connection.close_with_mode(CloseMode::Drop).unwrap();
    assert_eq!(holders(&observer, 7), 0);
    let (one, two) = (pool.get().unwrap(), pool.get().unwrap());
    assert!(address(&one) != first && address(&two) != address(&one));
    let single = connect("pool");
    assert_eq!(code(&single.close_with_mode(CloseMode::Drop).unwrap_err()), Some(1011));
}
