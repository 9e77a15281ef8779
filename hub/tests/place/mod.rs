//! An empty database for each case: on a file, and on a PostgreSQL of the test's own.

use uuid::Uuid;
use yumen_exchange::check::{self, Received};
use yumen_exchange::sighting::Sighting;
pub(crate) use yumen_hub::store::Address;
use yumen_hub::store::Store;

pub(crate) fn received(number: u64, change: impl FnOnce(&mut Sighting)) -> Received {
    let golden = include_bytes!("../../../exchange/tests/golden/sighting_of_a_rejected_message.json");
    let mut received = check::sighting("yumen/v1/bank-a/gw1/sighting", golden).unwrap();
    let base = 0x019a_8c6e_7f00_7a11_8b22_0000_0000_0000u128;
    received.envelope.id = Uuid::from_u128(base + u128::from(number));
    received.time_ms = 1_000_000 + number;
    change(&mut received.envelope.data);
    received
}

/// An empty database.
pub(crate) struct Place {
    pub(crate) address: Address,
    pub(crate) store: Store,
}

impl Place {
    pub(crate) async fn new(address: Address) -> Self {
        let store = Store::open(&address).await.unwrap();
        Self { address, store }
    }
}

/// Each case on a file of its own, and all of them on one server, with a database each.
macro_rules! on_both {
    ($($case:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                let dir = tempfile::tempdir().unwrap();
                let place = super::place::Place::new(super::place::Address::file(&dir.path().join("hub #1?.sqlite")).unwrap()).await;
                assert!(dir.path().join("hub #1?.sqlite").is_file());
                super::$case(place).await;
            })*
        }

        #[tokio::test]
        async fn all_of_it_on_postgresql() {
            let server = yumen_tests::postgres::Postgres::start(&["fsync=off"]).unwrap();
            $({
                let address = server.database(stringify!($case)).unwrap().parse().unwrap();
                println!(stringify!($case));
                $case(place::Place::new(address).await).await;
            })*
        }
    };
}
