//! Leases: who works on a row has one; it ends by itself where they are gone.

use campanile_store::{Tx, sql};

use crate::error::Result;

sql! {
    VOID_RUNS = "UPDATE run SET lease_until = 0 WHERE lease_until > 0";
    VOID_CHUNKS = "UPDATE chunk SET lease_until = 0 WHERE state = 0 AND lease_until > 0";
    VOID_DELIVERIES = "UPDATE delivery SET lease_until = 0 WHERE state = 1";
}

/// Ends every lease. For a server that is alone with its database: nobody else can hold one.
pub fn void(tx: &mut Tx<'_>) -> Result<()> {
    tx.send(&VOID_RUNS, &[])?;
    tx.send(&VOID_CHUNKS, &[])?;
    tx.send(&VOID_DELIVERIES, &[])?;
    Ok(())
}
