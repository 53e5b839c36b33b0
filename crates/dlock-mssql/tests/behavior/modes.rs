use super::{bounded, fresh, lock};
use crate::server::Tcp;
use dlock_core::Wait;
use dlock_mssql::{Lock, Mode};

async fn in_mode(key: &str, mode: Mode) -> Lock<Tcp> {
    let lock = lock(key).await;
    match mode {
        Mode::Exclusive => lock,
        Mode::Update => lock.update(),
        Mode::Shared => lock.shared(),
    }
}

#[tokio::test]
async fn two_sessions_share_as_the_matrix_says() {
    use Mode::{Exclusive, Shared, Update};
    let granted = [
        (Exclusive, [false, false, false]),
        (Update, [false, false, true]),
        (Shared, [false, true, true]),
    ];
    bounded(async {
        let key = fresh("matrix");
        for (held, row) in granted {
            for (asked, expected) in [Exclusive, Update, Shared].into_iter().zip(row) {
                let (mut one, mut two) = (in_mode(&key, held).await, in_mode(&key, asked).await);
                assert_eq!((one.mode(), two.mode()), (held, asked));
                assert!(one.acquire(Wait::No).await.unwrap());
                assert_eq!(two.acquire(Wait::No).await.unwrap(), expected, "{held} {asked}");
                one.close().await.unwrap();
                two.close().await.unwrap();
            }
        }
    })
    .await;
}
