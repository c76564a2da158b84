//! Lists who gets a mail: pages through the audience of each mail run, and stores its chunks.

use std::sync::Arc;

use campanile_core::message::{self, funnel};
use campanile_core::outbox::{list, run};
use campanile_core::{Error, Result};
use campanile_store::Tx;
use roaring::RoaringBitmap;

use super::Station;

/// Lists all that is to be listed.
pub(super) async fn list_all(station: &Station) -> Result<()> {
    while !station.app.shutdown().is_cancelled() {
        let (worker, now) = (station.worker, station.app.clock.now());
        let Some(listing) = station.app.db.jot(move |tx| run::take_listing(tx, worker, now)).await? else {
            break;
        };
        list_one(station, listing).await?;
    }
    Ok(())
}

async fn list_one(station: &Station, mut listing: run::Listing) -> Result<()> {
    let people = Arc::new(audience(station, listing.message).await?);
    loop {
        if station.app.shutdown().is_cancelled() {
            return station.app.db.jot(move |tx| run::give_back(tx, &listing)).await;
        }
        let (all, after) = (Arc::clone(&people), listing.cursor);
        let page = station.app.db.scan(move |tx| list::page(tx, &all, after)).await?;
        let (total, now, is_last) = (people.len(), station.app.clock.now(), page.is_last);
        let stored = station.app.db.jot(move |tx| {
            let kept = run::store_listed(tx, &mut listing, &page.chunks, page.cursor, total, page.is_last, now)?;
            Ok::<_, Error>((kept, listing))
        });
        let (kept, after) = stored.await?;
        listing = after;
        if is_last || !kept {
            return Ok(());
        }
    }
}

/// The audience at publication, of those who have an address now.
async fn audience(station: &Station, id: campanile_core::id::MessageId) -> Result<RoaringBitmap> {
    let (residents, crowds) = (Arc::clone(&station.app.residents), Arc::clone(&station.app.crowds));
    let work = move |tx: &mut Tx<'_>| {
        let message = message::find(tx, id)?;
        let residents = residents.at(tx)?;
        Ok(funnel::frozen(tx, &residents, &crowds, &message)? & residents.with_email())
    };
    station.app.db.scan(work).await
}
