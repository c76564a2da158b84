//! Lists who gets a mail: pages through the audience of each mail run, and stores its chunks.

use std::sync::Arc;

use campanile_core::message::{self, funnel};
use campanile_core::outbox::list::{self, Page};
use campanile_core::outbox::run::{self, Listable, Listing};
use campanile_core::{Error, Result};
use campanile_store::Tx;
use roaring::RoaringBitmap;

use super::Station;

/// Runs whose first page is looked up and stored at once.
const AT_ONCE: usize = 16;

/// A listing that was begun, with its whole audience.
struct Begun {
    listing: Listing,
    people: Arc<RoaringBitmap>,
}

/// A run that is to be listed, its audience, and a page of it.
type First = (Listable, RoaringBitmap, Page);

/// Lists all that is to be listed. What is more urgent does not wait until a long listing is over: it comes between two
/// pages of it.
pub(super) async fn list_all(station: &Station) -> Result<()> {
    // Each more urgent than those before it.
    let mut begun: Vec<Begun> = Vec::new();
    while !station.app.shutdown().is_cancelled() {
        let first = first_pages(station, begun.last()).await?;
        if !first.is_empty() {
            begun.extend(store_first(station, first).await?);
            continue;
        }
        let Some(last) = begun.last_mut() else {
            return Ok(());
        };
        if list_page(station, last).await? {
            begun.pop();
        }
    }
    for Begun { listing, .. } in begun {
        station.app.db.jot(move |tx| run::give_back(tx, &listing)).await?;
    }
    Ok(())
}

/// Looks at runs that nobody lists; where one is begun, only at more urgent ones. An audience never changes, so it is
/// read before its run is taken: a run of few people costs one transaction, shared by all that wait. Ends with the
/// first whose audience is longer than a page.
async fn first_pages(station: &Station, begun: Option<&Begun>) -> Result<Vec<First>> {
    let (residents, crowds) = (Arc::clone(&station.app.residents), Arc::clone(&station.app.crowds));
    let (now, than) = (station.app.clock.now(), begun.map(|begun| begun.listing));
    // Most of the time there is none, and who reads for somebody who waits is left alone.
    let look = move |tx: &mut Tx<'_>| run::listable(tx, than.as_ref(), AT_ONCE, now);
    let listable = station.app.db.jot(look).await?;
    if listable.is_empty() {
        return Ok(Vec::new());
    }
    let work = move |tx: &mut Tx<'_>| {
        let mut out = Vec::with_capacity(listable.len());
        for found in listable {
            let message = message::find(tx, found.message)?;
            // The audience at publication, of those who have an address now.
            let residents = residents.at(tx)?;
            let people = funnel::frozen(tx, &residents, &crowds, &message)? & residents.with_email();
            drop(residents);
            let page = list::page(tx, &people, found.cursor)?;
            let is_last = page.is_last;
            out.push((found, people, page));
            if !is_last {
                break;
            }
        }
        Ok::<_, Error>(out)
    };
    station.app.db.scan(work).await
}

/// Takes these runs and stores their pages, in one transaction; those of which more pages are to come.
async fn store_first(station: &Station, first: Vec<First>) -> Result<Vec<Begun>> {
    let (worker, now) = (station.worker, station.app.clock.now());
    let work = move |tx: &mut Tx<'_>| {
        let mut begun = Vec::new();
        for (found, people, page) in &first {
            let Some(mut listing) = run::take_listing(tx, worker, found, now)? else {
                continue;
            };
            let stored = run::store_listed(
                tx,
                &mut listing,
                &page.chunks,
                page.cursor,
                people.len(),
                page.is_last,
                now,
            )?;
            if stored && !page.is_last {
                let people = Arc::new(people.clone());
                begun.push(Begun { listing, people });
            }
        }
        Ok::<_, Error>(begun)
    };
    station.app.db.jot(work).await
}

/// Lists a page; whether that was the last one, or the listing is not ours any more.
async fn list_page(station: &Station, begun: &mut Begun) -> Result<bool> {
    let (all, mut listing) = (Arc::clone(&begun.people), begun.listing);
    let page = station
        .app
        .db
        .scan(move |tx| list::page(tx, &all, listing.cursor))
        .await?;
    let (total, now, is_last) = (begun.people.len(), station.app.clock.now(), page.is_last);
    let stored = station.app.db.jot(move |tx| {
        let kept = run::store_listed(tx, &mut listing, &page.chunks, page.cursor, total, page.is_last, now)?;
        Ok::<_, Error>((kept, listing))
    });
    let (kept, after) = stored.await?;
    begun.listing = after;
    Ok(is_last || !kept)
}
