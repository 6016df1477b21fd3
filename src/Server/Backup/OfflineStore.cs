using CbaMail.Config;
using CbaMail.Directory;
using CbaMail.Envelope;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Backup;

/// <summary>The same deeds on a data directory that no server uses.</summary>
public static class OfflineStore
{
    public static async Task<Result<BackupSummary>> BackUpAsync(Settings settings, BackupOrder order, Action<long, long>? progress, CancellationToken cancel)
    {
        var opened = Open(settings);
        if (!opened.Ok) return opened.Refusal;
        await using var store = opened.Value;
        return await new Backups(store, settings, TimeProvider.System).RunAsync(order, progress, cancel);
    }

    public static async Task<Result<AccountRestoreSummary>> RestoreAsync(Settings settings, AccountRestoreOrder order, Action<long, long>? progress, CancellationToken cancel)
    {
        var opened = Open(settings);
        if (!opened.Ok) return opened.Refusal;
        await using var store = opened.Value;
        var mail = new MailStore(store, settings, new Notifier(), TimeProvider.System);
        var people = new UserDirectory(store, TimeProvider.System);
        MailboxesRoom.Attach(mail, people);
        using var restore = new AccountRestore(mail, people, new Spool(settings), settings);
        return await restore.RunAsync(order, progress, cancel);
    }

    static Result<Store> Open(Settings settings)
    {
        try
        {
            return new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged);
        }
        catch (InvalidOperationException said)
        {
            return Refusal.Conflict.Because(said.Message); // another has it, or it is of a newer release
        }
        catch (SqliteError error)
        {
            return Refusal.Unavailable.Because($"The database in {settings.Data} cannot be opened: {error.Message.ReplaceLineEndings(" ")}; \"cbamail verify --data {settings.Data}\" says what is wrong with it");
        }
        catch (IOException error)
        {
            return Refusal.Unavailable.Because($"The data directory {settings.Data} cannot be used: {error.Message.ReplaceLineEndings(" ")}");
        }
        catch (UnauthorizedAccessException error)
        {
            return Refusal.NotPermitted.Because($"The data directory {settings.Data} cannot be used: {error.Message.ReplaceLineEndings(" ")}");
        }
    }
}
