using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using CbaMail.Backup;
using CbaMail.Config;
using CbaMail.Http;
using CbaMail.Mailboxes;
using CbaMail.Mailings;
using CbaMail.Queue;
using CbaMail.Storage;
using CbaMail.Storage.Blobs;
using Microsoft.Extensions.Logging.Abstractions;

namespace CbaMail.Cli;

/// <summary>Verifies a data directory that no server uses; gives the lines that a server would.</summary>
static class OfflineVerify
{
    /// <summary>Whether a server answers on the control socket of the directory.</summary>
    public static bool IsServed(string data)
    {
        if (!File.Exists(HttpRoom.SocketPath(Path.GetFullPath(data)))) return false;
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(ControlSocket.EndPoint(data));
            return true;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode != SocketError.ConnectionRefused; // one that was killed left its socket behind
        }
    }

    /// <summary>Whether a server's data lie there, perhaps without their database.</summary>
    public static bool IsData(string data) => File.Exists(Path.Combine(data, "cbamail.db")) || System.IO.Directory.Exists(Path.Combine(data, "packs"));

    public static async IAsyncEnumerable<JsonElement> RunAsync(string data, bool repair, string? from, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        data = Path.GetFullPath(data);
        if (!IsData(data)) throw new Refused($"{data} is no data directory of a server; name it with --data DIR");
        var lines = Channel.CreateUnbounded<object>();
        var salvaged = 0;
        var work = WorkAsync();
        await foreach (var line in lines.Reader.ReadAllAsync(cancel)) yield return JsonSerializer.SerializeToElement(line, line.GetType(), Reply.Json);
        yield return JsonSerializer.SerializeToElement(await work, Reply.Json);

        async Task<VerifySummary> WorkAsync()
        {
            try
            {
                HashSet<PackLocation> lost = [];
                if (Database(ref lost) is { } unusable) return unusable;
                await using var store = Open(data);
                var mail = new MailStore(store, new Settings { Data = data }, new Notifier(), TimeProvider.System);
                var verification = new Verification(mail, [KeptTable.Holder, QueueHolding.Holder, MailingHolding.Holder], TimeProvider.System);
                var result = await verification.RunAsync(new VerifyOptions(repair, from, Gentle: false) { Lost = lost },
                    finding => lines.Writer.TryWrite(finding), (done, of) => lines.Writer.TryWrite(new { done, of }), cancel);
                return result.Ok ? result.Value with { Repaired = result.Value.Repaired + salvaged } : throw new Refused(result.Refusal.Sentence);
            }
            finally { lines.Writer.Complete(); }
        }

        // before anything is opened that writes: a database that SQLite cannot read is not worked with
        VerifySummary? Database(ref HashSet<PackLocation> lost)
        {
            using var mine = Sentence(() => DatabaseFile.Lock(data));
            if (repair && DatabaseFile.Finish(data, TimeProvider.System.GetUtcNow(), Repaired)) return null;
            if (Sentence(() => DatabaseFile.Problem(data)) is not { } problem)
            {
                if (DatabaseFile.LostLog(data) is not { } records) return null;
                lines.Writer.TryWrite(new Finding("database", MailStore.WithoutLog(records.Count)));
                if (!repair) return new VerifySummary("summary", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
                lost = records;
                DatabaseFile.GoOnWithoutLog(data);
                Repaired("The database goes on without its log.");
                return null;
            }
            lines.Writer.TryWrite(new Finding("database", $"the database is damaged: {problem}." + (repair ? "" : " " + DatabaseFile.Advice)));
            var failure = repair ? DatabaseFile.Salvage(data, TimeProvider.System.GetUtcNow(), Repaired) : null;
            if (failure is not null) lines.Writer.TryWrite(new Finding("database", failure));
            return repair && failure is null ? null : new VerifySummary("summary", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        }

        void Repaired(string sentence)
        {
            salvaged++;
            lines.Writer.TryWrite(new Finding("repaired", sentence));
        }
    }

    static T Sentence<T>(Func<T> deed)
    {
        try { return deed(); }
        catch (InvalidOperationException e) { throw new Refused(e.Message); } // our own rooms say it in a sentence
    }

    static Store Open(string data)
    {
        var settings = new Settings { Data = data };
        try { return new Store(settings, NullLogger<Store>.Instance, MailStore.RemoveUnacknowledged); }
        catch (Exception e) when (StartProblem.Sentence(e, settings) is { } sentence)
        {
            throw new Refused(sentence);
        }
    }
}
