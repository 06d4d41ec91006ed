//! Archives of jobs: the same on both databases.

use ebp_store::{HouseholdId, RESULT_PART, Recorded, Standing, Store, StoreError, Subject};

use crate::{
    job::{Revoke, START, claim, order, policy, record, succeeded},
    story::{at, registration},
};

/// An archive's parts are there when its job has succeeded, and go with a revocation: of the archive of
/// one that ended, and of one that is being written.
pub async fn archives(store: &dyn Store) {
    let household = store.register(registration("in@example.org"), at(START)).await.unwrap();
    let other = store.register(registration("other@example.org"), at(START)).await.unwrap();
    let job = store.add_job(order("archive")).await.unwrap().uuid;
    let lease = claim(store, 1, policy(60_000)).await.unwrap().lease;
    for (part, bytes) in [(0, vec![1; RESULT_PART]), (1, vec![2; 3])] {
        assert_eq!(store.put_archive_part(lease, part, bytes).await.unwrap(), Standing::Held);
    }
    let long = store.put_archive_part(lease, 2, vec![3; RESULT_PART + 1]).await;
    assert!(matches!(long, Err(StoreError::ResultTooLong)));
    let long = store.put_archive_part(lease, 4 << 10, vec![3]).await;
    assert!(matches!(long, Err(StoreError::ResultTooLong)));
    let part = async |attempt, part| store.archive_part(job, attempt, part).await.ok();
    assert_eq!(part(1, 0).await, None, "it is not finished");

    // Somebody leaves: what is written is not known to be of others, and the job begins anew.
    store.remove_household(HouseholdId(other.household), at(START)).await.unwrap();
    let late = store.put_archive_part(lease, 2, vec![3]).await.unwrap();
    assert_eq!(late, Standing::Lost);
    let subjects = vec![Subject::Household(household.household)];
    let end = succeeded(b"{}", subjects.clone());
    assert_eq!(record(store, lease, end).await.unwrap(), Recorded::Lost);
    let lease = claim(store, 2, policy(60_000)).await.unwrap().lease;
    assert_eq!((lease.job, lease.attempt), (job, 2));
    for (part, bytes) in [(0, vec![4]), (0, vec![5; RESULT_PART]), (1, vec![6; 3])] {
        assert_eq!(store.put_archive_part(lease, part, bytes).await.unwrap(), Standing::Held);
    }
    record(store, lease, succeeded(b"{}", subjects)).await.unwrap();
    assert_eq!(part(2, 0).await, Some(vec![5; RESULT_PART]), "part 0 begins anew");
    assert_eq!(part(2, 1).await, Some(vec![6; 3]));
    assert_eq!((part(2, 2).await, part(1, 0).await), (None, None));

    store.revoke_consent_of(household.household).await;
    assert_eq!((part(2, 0).await, part(2, 1).await), (None, None));
    assert!(store.job(job).await.unwrap().erased);
}
