using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using CbaMail.Config;
using CbaMail.Mailboxes;
using CbaMail.Storage;
using CbaMail.Storage.Sqlite;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.Server.Storage.Cuts;

/// <summary>Data of a release (<c>tests/Vectors/released</c>, as kill -9 left them) on a simulated disk, and what they have to be after the upgrade.</summary>
sealed class OldVault
{
    // what undoes a schema file: so the same data are of every schema since
    static readonly Dictionary<int, string> undone = new()
    {
        [7] = "DROP TABLE stranger;",
        [8] = "DROP TABLE tls_report_failure; DROP TABLE tls_report; DROP TABLE sts_policy; DROP TABLE pace; DROP TABLE source_use; ALTER TABLE queue_message DROP COLUMN require_tls;",
        [10] = "DROP TABLE dkim_key;",
        [13] = "DROP TABLE content_wire;",
        [15] = "ALTER TABLE account DROP COLUMN scram; DELETE FROM server_key WHERE name = 'scram';",
        [12] = "DROP TABLE complaint; DROP TABLE report_session; DROP TABLE report_source; DROP TABLE report; DROP TABLE report_mail; DROP TABLE report_post; DROP TABLE report_address; DROP TABLE report_sent; DROP TABLE dmarc_count; DROP TABLE dmarc_subject;",
        [14] = "DROP TABLE reader_mark; DROP TABLE reader; DROP TABLE annotation; DROP TABLE mailbox_acl; ALTER TABLE mailbox DROP COLUMN shared;",
        [17] = "ALTER TABLE content DROP COLUMN lineage;",
        [9] = "DROP TABLE secret_key; DROP TABLE acme_account; DROP TABLE acme_certificate;",
        [4] = "DROP TABLE ledger; DROP TABLE mailing_file; DROP TABLE mailing; DROP TABLE import_reject; DROP TABLE participant; DROP TABLE course;",
        [6] = "DROP TABLE queue_attempt; DROP TABLE queue_rule; DROP TABLE trail; DROP TABLE finished; DROP TABLE suppression; DROP TABLE dead_bounce; DROP TABLE bounce_key; DROP TABLE correspondent; DROP TABLE sent_hour; "
            + "ALTER TABLE ledger DROP COLUMN class; ALTER TABLE queue_recipient DROP COLUMN rule_id; ALTER TABLE queue_message ADD COLUMN bulk INTEGER NOT NULL DEFAULT 0; UPDATE queue_message SET bulk = class = 2; "
            + "ALTER TABLE queue_message DROP COLUMN class; ALTER TABLE queue_message DROP COLUMN priority; ALTER TABLE queue_message DROP COLUMN message_id; ALTER TABLE queue_message DROP COLUMN subject; "
            + "ALTER TABLE queue_message DROP COLUMN account_id; ALTER TABLE queue_message DROP COLUMN mailing_id; ALTER TABLE queue_message DROP COLUMN arrival; ALTER TABLE queue_message DROP COLUMN release_at; "
            + "ALTER TABLE queue_message DROP COLUMN deliver_by; ALTER TABLE queue_message DROP COLUMN by_mode; ALTER TABLE queue_message DROP COLUMN hold_request;",
    };

    readonly Settings settings;
    readonly Dictionary<long, byte[]> bodies;
    readonly VaultState state;

    public static readonly ManualTime Time = new(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));

    OldVault(string release, int schema)
    {
        Image = Unpacked(release);
        var disk = new SimulatedDisk(0, Image);
        settings = Workload.Shape(schema, disk);
        if (schema < SchemaOf(disk))
        {
            using (var connection = new SqliteConnection(Path.Combine(disk.Data, "cbamail.db"), readOnly: false, disk.SqliteVfs))
            {
                for (var number = SchemaOf(disk); number > schema; number--) if (undone.TryGetValue(number, out var sql)) connection.Execute(sql); // not every number has been given away
                // a mailing has held its first copy
                if (schema < 4) connection.Execute("UPDATE content SET refs = (SELECT count(*) FROM message WHERE content_id = content.id) + (SELECT count(*) FROM queue_message WHERE content_id = content.id) + (SELECT count(*) FROM content c WHERE c.base = content.id)");
                connection.Execute($"PRAGMA user_version={schema}");
            }
            Image = disk.Now();
        }
        var (store, mail) = Workload.Open(settings with { Data = disk.Data }, disk, Time);
        (state, bodies) = (State(store), Bodies(mail));
        disk.Kill();
        disk.Detach();
    }

    public static OldVault Of(string release, int schema) => new(release, schema);

    /// <summary>The disk before the upgrade.</summary>
    public DiskImage Image { get; }

    static DiskImage Unpacked(string release)
    {
        var files = new Dictionary<string, byte[]>();
        using var file = File.OpenRead(Path.Combine(House.Repository.Root, "tests/Vectors/released", release + ".tgz"));
        using var tar = new TarReader(new GZipStream(file, CompressionMode.Decompress));
        while (tar.GetNextEntry(copyData: true) is { } entry)
        {
            if (entry.DataStream is null || entry.Name.EndsWith("lock", StringComparison.Ordinal)) continue;
            var bytes = new byte[entry.Length];
            entry.DataStream.ReadExactly(bytes);
            files[$"{SimulatedDisk.Root}/data/{entry.Name.TrimStart('.', '/')}"] = bytes;
        }
        return new DiskImage(files, new HashSet<string> { SimulatedDisk.Root, SimulatedDisk.Root + "/data", SimulatedDisk.Root + "/data/packs" });
    }

    static int SchemaOf(SimulatedDisk disk)
    {
        using var connection = new SqliteConnection(Path.Combine(disk.Data, "cbamail.db"), readOnly: false, disk.SqliteVfs);
        return (int)connection.Prepare("PRAGMA user_version").Scalar()!.Value;
    }

    // when it was expunged is not known of old data: it is the time of the upgrade
    static VaultState State(Store store)
    {
        var state = VaultState.Of(store);
        return new VaultState { Tables = new(state.Tables) { ["expunged"] = new VaultState { Tables = new() { ["expunged"] = state["expunged"] } }.Without("at")["expunged"] } };
    }

    static Dictionary<long, byte[]> Bodies(MailStore mail)
    {
        using var reader = mail.Read();
        var ids = new List<long>();
        using (var row = reader.Transaction.Prepare("SELECT id FROM content"))
            while (row.Step()) ids.Add(row.Int64(0));
        return ids.ToDictionary(id => id, id =>
        {
            var content = reader.Content(id)!;
            return SHA256.HashData(content.Read(0, (int)content.Size));
        });
    }

    public Store Open(SimulatedDisk disk) => Workload.Open(settings with { Data = disk.Data }, disk, Time).Store;

    /// <summary>What is wrong after a start; the server is closed then.</summary>
    public async Task<List<string>> FaultsAsync(SimulatedDisk disk, bool verify)
    {
        var faults = new List<string>();
        Store? store = null;
        try
        {
            (store, var mail) = Workload.Open(settings with { Data = disk.Data }, disk, Time);
            faults.AddRange(State(store).Unlike(state).Take(5));
            var found = Bodies(mail);
            faults.AddRange(bodies.Keys.Where(id => !found.TryGetValue(id, out var hash) || !hash.AsSpan().SequenceEqual(bodies[id])).Select(id => $"content {id} is not what it was"));
            if (verify) await CutCheck.VerifyAsync(mail, Time, faults);
        }
        catch (Exception error) when (error is IOException or SqliteError or InvalidOperationException)
        {
            faults.Add(error.Message);
        }
        if (store is not null) await store.DisposeAsync();
        return faults;
    }
}
