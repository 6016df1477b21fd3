using System.Security.Cryptography;
using System.Text;
using CbaMail.Envelope;

namespace CbaMail.Storage;

/// <summary>
/// Secrets at rest: private keys and passwords of relays stand encrypted in the database, under a key that lies beside it in a file of its
/// own, <c>DATA/secrets.key</c>. A backup may leave that file out, and a copy of the database alone tells nobody anything.
/// </summary>
/// <remarks>
/// AES-256-GCM of the framework; the purpose is bound to the secret, so that one cannot be put in the place of another. A sealed value begins with
/// a version and the id of its key, so that a wrong file is told from damage. The file is made once, and durable before anything is encrypted by it;
/// where the database knows of a key and the file is gone or another, nothing is made: what to do is said in <see cref="Problem"/>.
/// </remarks>
public sealed class Secrets
{
    /// <summary>The key's file in the data directory.</summary>
    public const string FileName = "secrets.key";

    const byte Version = 1;
    const int KeyBytes = 32, IdBytes = 8, NonceBytes = 12, TagBytes = 16, Head = 1 + IdBytes + NonceBytes + TagBytes;

    readonly Store store;
    readonly TimeProvider time;
    readonly string path;
    byte[] key = [];
    byte[] id = [];
    bool recorded;

    public Secrets(Store store, TimeProvider time, ILogger<Secrets> log)
    {
        (this.store, this.time, path) = (store, time, Path.Combine(store.Path, FileName));
        Load();
        if (Problem is { } problem) StorageTelemetry.NoSecrets(log, problem.Sentence);
    }

    /// <summary>Why secrets can be neither read nor kept, with what to do; null where all is well.</summary>
    public Refusal? Problem { get; private set; }

    void Load()
    {
        List<byte[]> known;
        using (var read = store.Read()) known = SecretTable.Keys(read);
        recorded = known.Count > 0;
        byte[]? found = null;
        try
        {
            found = Read();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Problem = Refusal.Unavailable.Because($"The key file {path} cannot be read: {error.Message.ReplaceLineEndings(" ")} Private keys and passwords in the database are locked until it can");
            return;
        }
        if (found is { Length: 0 }) Problem = Lost($"The file {path} is no key file");
        else if (found is null && recorded) Problem = Lost($"The key file {path} is missing");
        else if (found is not null && recorded && !known.Exists(other => other.AsSpan().SequenceEqual(IdOf(found)))) Problem = Lost($"The key file {path} is not the one that this database was encrypted by");
        else Take(found ?? Make());
    }

    static Refusal Lost(string what) => Refusal.Unavailable.Because(
        $"{what}: put the right one back (mode 600) and start again; if it is lost, \"cbamail secrets renew\" makes a new one, and private keys are made anew");

    void Take(byte[] taken)
    {
        (key, id) = (taken, IdOf(taken));
        Problem = null;
    }

    // one line of hexadecimal: it can be kept on paper
    byte[]? Read()
    {
        using var file = store.Disk.OpenToRead(path);
        if (file is null) return null;
        var bytes = new byte[Math.Min(file.Length, 256)];
        var count = file.Read(bytes, 0);
        var text = Encoding.ASCII.GetString(bytes, 0, count).Trim();
        return text.Length == 2 * KeyBytes && text.All(char.IsAsciiHexDigit) ? Convert.FromHexString(text) : [];
    }

    byte[] Make()
    {
        var made = RandomNumberGenerator.GetBytes(KeyBytes);
        using (var file = store.Disk.Open(path + ".new", create: true)!)
        {
            store.Disk.SetMode(path + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite);
            file.Length = 0; // of an attempt that was interrupted
            file.Write(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(made) + "\n"), 0);
            file.Flush();
        }
        store.Disk.Move(path + ".new", path);
        store.Disk.FlushDirectory(store.Path); // before anything is encrypted by it
        return made;
    }

    static byte[] IdOf(byte[] key) => HMACSHA256.HashData(key, "cbamail secrets key id"u8)[..IdBytes];

    /// <summary>Encrypts a secret for a row of this transaction.</summary>
    /// <param name="purpose">What it is and whose; the same opens it.</param>
    /// <exception cref="InvalidOperationException">There is no key; ask <see cref="Problem"/> before.</exception>
    public byte[] Seal(WriteTransaction write, string purpose, ReadOnlySpan<byte> secret)
    {
        if (Problem is { } problem) throw new InvalidOperationException(problem.Sentence);
        if (!recorded)
        {
            SecretTable.Add(write, id, time.GetUtcNow());
            write.OnCommitted(() => recorded = true);
        }
        var value = new byte[Head + secret.Length];
        value[0] = Version;
        id.CopyTo(value, 1);
        var nonce = value.AsSpan(1 + IdBytes, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(key, TagBytes);
        cipher.Encrypt(nonce, secret, value.AsSpan(Head), value.AsSpan(1 + IdBytes + NonceBytes, TagBytes), Bound(value, purpose));
        return value;
    }

    /// <summary>A secret that was sealed for the purpose.</summary>
    public Result<byte[]> Open(string purpose, ReadOnlySpan<byte> value)
    {
        if (Problem is { } problem) return problem;
        if (value.Length < Head || value[0] != Version) return Refusal.Unavailable.Because($"The secret \"{purpose}\" in the database is damaged");
        if (!value.Slice(1, IdBytes).SequenceEqual(id)) return Refusal.Unavailable.Because($"The secret \"{purpose}\" was encrypted by a key file that is lost");
        var secret = new byte[value.Length - Head];
        try
        {
            using var cipher = new AesGcm(key, TagBytes);
            cipher.Decrypt(value.Slice(1 + IdBytes, NonceBytes), value[Head..], value.Slice(1 + IdBytes + NonceBytes, TagBytes), secret, Bound(value, purpose));
            return secret;
        }
        catch (AuthenticationTagMismatchException)
        {
            return Refusal.Unavailable.Because($"The secret \"{purpose}\" in the database is damaged");
        }
    }

    static byte[] Bound(ReadOnlySpan<byte> value, string purpose) => [.. value[..(1 + IdBytes)], .. Encoding.UTF8.GetBytes(purpose)];

    /// <summary>Begins again with a new key: what the old one encrypted stays unreadable for good. A file that is there is kept beside.</summary>
    public async ValueTask<Refusal?> RenewAsync(CancellationToken cancel)
    {
        if (Problem is null) return Refusal.Conflict.Because($"The key file {path} is there and right: nothing needs to be renewed");
        if (store.Disk.Exists(path)) store.Disk.Move(path, $"{path}.kept-{time.GetUtcNow():yyyyMMddHHmmss}");
        var made = Make();
        await store.CommitAsync(write =>
        {
            SecretTable.Clear(write);
            SecretTable.Add(write, IdOf(made), time.GetUtcNow());
            return true;
        }, cancel);
        recorded = true;
        Take(made);
        return null;
    }
}
