/// How a named lock is held: MySQL and MariaDB have exclusive ones only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// One holder at a time.
    Exclusive,
}
