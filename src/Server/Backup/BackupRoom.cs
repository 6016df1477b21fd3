namespace CbaMail.Backup;

// Backup: what makes data outlive a disk, a machine and a mistake. `backup` into a repository of snapshots, `restore` of everything
// or of one account; `verify` reads everything that the vault holds, `verify --repair` mends it: from a backup, from a second copy
// in the packs, or by saving what can still be read.
//
// It does not know how mail arrives or leaves. Rooms above that hold bodies (Queue, Mailings) tell of it by a BodyHolder.
//
// A repository:
//   DIR/packs/NNNNNNNN.pack    the packs of the data directory: same number, same bytes at the same positions; only appended to
//   DIR/snapshots/TIME/        cbamail.db (one consistent snapshot, no log) and manifest.json, which is written last
//   DIR/files/SHA-256          the other files that snapshots need, each once
//   DIR/lock                   one writer a repository
// A snapshot is the database as of one moment, then the packs as far as its rows reach. Rows of a batch are visible before its pack is
// flushed, so an empty commit is awaited between the two: what the snapshot names is then durable in the data directory and never
// written over. Packs are held against removal from before the snapshot until the copy is whole.
//
// Rules of backup and restore that a change must keep:
//   a snapshot counts only with its manifest; everything else is flushed before that is written
//   bytes of a pack that a snapshot needs are never written over: a difference is reported, and says which side is damaged
//   copies rest as long as they work; no commit waits for them
//   a restore writes where no server starts from, and moves into place last
//   a restored server gives out no UID, modification sequence or id again that the lost one may have given out after the snapshot,
//   and begins a pack of its own, so that the same repository can go on
//
// How verify looks without being in the way:
//   a check reads a piece (a hundred bodies, an account) in one snapshot and then rests as long as the piece took
//   what compares rows with each other reads both sides in the same snapshot, so mail that arrives raises no alarm
//   a record that seems damaged is looked at again by its row of now: it may have been removed or rewritten meanwhile
// How it mends while others write:
//   what is wrong with a counter is a difference, found in one snapshot; the difference is added, whatever it has become since
//   a record is appended anew and the row pointed to it, if the row still names the damaged one
//   a message that is lost is expunged and another appended in its place: UIDs and modification sequences only rise
//
// Rules of verify that a change must keep: nothing is deleted that could still be read; one run at a time; a second repair does nothing.
//
// RFC 9051 2.3.1.1 (UIDs), RFC 7162 3.1 (modification sequences).

/// <summary>The room's services.</summary>
public static class BackupRoom
{
    public static IServiceCollection AddBackup(this IServiceCollection services) => services
        .AddSingleton<Verification>()
        .AddSingleton<Backups>()
        .AddSingleton<AccountRestore>();
}

/// <summary>Ends a backup or a restore with a sentence for people; caught where the room is entered.</summary>
sealed class BackupProblem(string sentence) : Exception(sentence);
