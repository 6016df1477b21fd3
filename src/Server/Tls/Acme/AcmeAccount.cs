using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Storage;

namespace CbaMail.Tls.Acme;

/// <summary>Our account at the authority (RFC 8555 7.3): its key is durable before the authority sees it, so a crash in between finds the same account again.</summary>
sealed class AcmeAccount(AcmeSettings settings, Store store, Secrets secrets, AcmeClient client, TimeProvider time, ILogger log)
{
    string Purpose => "acme account " + settings.Directory;

    /// <summary>Gives the client its key and address.</summary>
    public async Task UseAsync(CancellationToken cancel)
    {
        if (client.Account is not null) return;
        if (secrets.Problem is { } locked) throw new AcmeProblem(AcmeProblem.Odd, locked.Sentence);
        (string? Url, byte[] Key)? kept;
        using (var read = store.Read()) kept = AcmeTable.Account(read, settings.Directory);
        var opened = kept is { } row ? secrets.Open(Purpose, row.Key) : default;
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        if (kept is not null && opened.Ok) key.ImportPkcs8PrivateKey(opened.Value, out _);
        else
        {
            kept = null;
            var secret = key.ExportPkcs8PrivateKey();
            await store.CommitAsync(write =>
            {
                AcmeTable.PutAccount(write, settings.Directory, secrets.Seal(write, Purpose, secret), time.GetUtcNow());
                return true;
            }, cancel);
        }
        client.Key = new Jws(key);
        client.Account = kept?.Url ?? await RegisterAsync(cancel);
    }

    /// <summary>The authority does not know the address that we have kept.</summary>
    public async Task ForgetAsync(CancellationToken cancel)
    {
        client.Account = null;
        await SetAsync(null, cancel);
    }

    async Task<string> RegisterAsync(CancellationToken cancel)
    {
        var directory = await client.DirectoryAsync(cancel);
        var url = await client.ResourceAsync("newAccount", cancel);
        var needed = directory.Object("meta") is { } meta && meta.TryGetProperty("externalAccountRequired", out var wanted) && wanted.ValueKind == JsonValueKind.True;
        if (needed && settings.EabKeyId is null)
            throw new AcmeProblem("externalAccountRequired", "the authority wants an account that it has opened for you: set tls.acme.eab-key-id and eab-key to what it shows you there");
        var payload = Jws.Json(json =>
        {
            json.WriteBoolean("termsOfServiceAgreed", true);
            if (settings.Email is { Length: > 0 } email)
            {
                json.WriteStartArray("contact");
                json.WriteStringValue("mailto:" + email);
                json.WriteEndArray();
            }
            if (settings.EabKeyId is { } id)
            {
                json.WritePropertyName("externalAccountBinding");
                json.WriteRawValue(client.Key!.Bind(url, id, Base64Url.DecodeFromChars(settings.EabKey!.TrimEnd('='))));
            }
        });
        var answer = await client.PostAsync(url, payload, cancel, withKey: true);
        var account = answer.Location ?? throw new AcmeProblem(AcmeProblem.Odd, "the authority made an account and did not say where");
        await SetAsync(account, cancel);
        TlsTelemetry.Registered(log, settings.Directory, account);
        return account;
    }

    async Task SetAsync(string? account, CancellationToken cancel) => await store.CommitAsync(write =>
    {
        AcmeTable.SetAccount(write, settings.Directory, account);
        return true;
    }, cancel);
}
