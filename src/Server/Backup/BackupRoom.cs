namespace CbaMail.Backup;

// Backup: whether what is kept is whole, and what to do where it is not. `verify` reads everything that the vault holds;
// `verify --repair` mends it: from a backup, from a second copy in the packs, or by saving what can still be read.
//
// It does not know how mail arrives or leaves. Rooms above that hold bodies (Queue, Mailings) tell of it by a BodyHolder.
//
// How it looks without being in the way:
//   a check reads a piece (a hundred bodies, an account) in one snapshot and then rests as long as the piece took
//   what compares rows with each other reads both sides in the same snapshot, so mail that arrives raises no alarm
//   a record that seems damaged is looked at again by its row of now: it may have been removed or rewritten meanwhile
// How it mends while others write:
//   what is wrong with a counter is a difference, found in one snapshot; the difference is added, whatever it has become since
//   a record is appended anew and the row pointed to it, if the row still names the damaged one
//   a message that is lost is expunged and another appended in its place: UIDs and modification sequences only rise
//
// Rules that a change must keep: nothing is deleted that could still be read; one run at a time; a second repair does nothing.
//
// RFC 9051 2.3.1.1 (UIDs), RFC 7162 3.1 (modification sequences).

/// <summary>The room's services.</summary>
public static class BackupRoom
{
    public static IServiceCollection AddBackup(this IServiceCollection services) => services.AddSingleton<Verification>();
}
