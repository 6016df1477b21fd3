using System.Text.Json;
using CbaMail.Inbound.Authentication;
using CbaMail.MailAuth;
using CbaMail.MailAuth.Dmarc;

namespace CbaMail.Inbound.Hooks;

/// <summary>What a message proves of its sender, for whoever answers a hook: the results of Authentication-Results (RFC 8601 2.7) without the need to read that field.</summary>
static class HookProof
{
    const int Most = 20;

    public static void Write(Utf8JsonWriter json, Arrival arrival)
    {
        if (arrival.Proof is not { } proof)
        {
            json.WriteNull("authentication"); // our own people's mail, or nothing to ask
            return;
        }
        json.WriteStartObject("authentication");
        json.WriteStartObject("spf");
        json.WriteString("result", proof.Spf.Result.Word());
        json.WriteString("domain", proof.Spf.Domain);
        json.WriteString("identity", proof.Spf.Identity == MailAuth.Spf.SpfIdentity.Helo ? "helo" : "mailfrom");
        json.WriteString("reason", proof.Spf.Problem);
        json.WriteEndObject();
        json.WriteStartArray("dkim");
        foreach (var verdict in proof.Dkim.Take(Most))
        {
            json.WriteStartObject();
            json.WriteString("result", verdict.Result.Word());
            json.WriteString("domain", verdict.Domain);
            json.WriteString("selector", verdict.Selector);
            json.WriteString("algorithm", verdict.Signature.AlgorithmName);
            json.WriteNumber("bits", verdict.KeyBits);
            json.WriteBoolean("testing", verdict.Testing);
            json.WriteString("reason", verdict.Reason.Length > 0 ? verdict.Reason : null);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Arc(json, proof);
        Dmarc(json, proof);
        json.WriteStartObject("iprev");
        json.WriteString("result", Iprev(arrival));
        json.WriteString("name", arrival.Visit.RemoteName);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void Arc(Utf8JsonWriter json, SenderProof proof)
    {
        json.WriteStartObject("arc");
        json.WriteString("result", (proof.Arc?.Result ?? AuthResult.None).Word());
        json.WriteStartArray("sealers"); // the oldest first
        // of a chain that is broken nothing is to be believed, not even who is in it (RFC 8617 5.2)
        foreach (var set in proof.Arc is { Result: AuthResult.Pass } chain ? chain.Sets : []) json.WriteStringValue(set.Seal.Domain);
        json.WriteEndArray();
        json.WriteString("trusted", proof.SparedBy);
        json.WriteString("reason", proof.Arc is { Reason.Length: > 0 } arc ? arc.Reason : null);
        json.WriteEndObject();
    }

    static void Dmarc(Utf8JsonWriter json, SenderProof proof)
    {
        json.WriteStartObject("dmarc");
        json.WriteString("result", (proof.Dmarc?.Result ?? AuthResult.None).Word());
        json.WriteStartArray("from");
        foreach (var domain in proof.Author.Domains) json.WriteStringValue(domain);
        json.WriteEndArray();
        json.WriteString("policy", proof.Dmarc?.Policy?.Word());
        json.WriteString("disposition", proof.Applied.Word());
        json.WriteBoolean("spfAligned", proof.Dmarc?.SpfAligned == true);
        json.WriteBoolean("dkimAligned", proof.Dmarc?.DkimAligned == true);
        json.WriteEndObject();
    }

    static string Iprev(Arrival arrival) => arrival.Visit.RemoteName is not null ? "pass" : (arrival.Visit.Standing?.Reverse.Result ?? Inbound.Iprev.None).ToString().ToLowerInvariant();
}
