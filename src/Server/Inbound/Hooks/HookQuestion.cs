using System.Buffers;
using System.Text;
using System.Text.Json;
using CbaMail.Config;
using CbaMail.Mime;

namespace CbaMail.Inbound.Hooks;

/// <summary>
/// What a hook is asked, as JSON: version 1 of docs/hook-question.schema.json. Fields are added in later versions of the server,
/// none is renamed or gets another meaning without another <c>version</c>.
/// </summary>
static class HookQuestion
{
    public const int Version = 1;

    public static ReadOnlyMemory<byte> Write(Settings settings, HookSettings hook, Moment moment, Arrival arrival, DateTimeOffset now)
    {
        var output = new ArrayBufferWriter<byte>(2048);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteNumber("version", Version);
        json.WriteString("hook", hook.Title);
        json.WriteString("moment", moment.ToString().ToLowerInvariant());
        json.WriteString("time", now);
        json.WriteString("server", settings.Hostname);
        json.WriteString("session", arrival.Session);
        json.WriteString("protocol", arrival.Protocol switch { Protocol.Lmtp => "lmtp", Protocol.Smtp => "smtp", _ => "submission" });
        Client(json, arrival);
        if (moment >= Moment.Sender) Envelope(json, arrival);
        if (moment == Moment.Recipient && arrival.Asked is { } asked)
        {
            json.WriteStartObject("recipient");
            Recipient(json, asked);
            json.WriteEndObject();
        }
        if (moment == Moment.Message)
        {
            HookProof.Write(json, arrival);
            Message(json, hook, arrival);
        }
        json.WriteEndObject();
        json.Flush();
        return output.WrittenMemory;
    }

    static void Client(Utf8JsonWriter json, Arrival arrival)
    {
        json.WriteStartObject("client");
        json.WriteString("address", (arrival.Remote.IsIPv4MappedToIPv6 ? arrival.Remote.MapToIPv4() : arrival.Remote).ToString());
        if (arrival.Visit.Remote is { } remote) json.WriteNumber("port", remote.Port);
        json.WriteString("name", arrival.Visit.RemoteName);
        json.WriteString("hello", arrival.Hello.Length > 0 ? arrival.Hello : null);
        if (arrival.Visit.Tls is { } tls)
        {
            json.WriteStartObject("tls");
            json.WriteString("version", tls.Protocol);
            json.WriteString("cipher", tls.Cipher);
            json.WriteEndObject();
        }
        else json.WriteNull("tls");
        json.WriteString("account", arrival.SignedIn?.Address.ToString());
        json.WriteEndObject();
    }

    static void Envelope(Utf8JsonWriter json, Arrival arrival)
    {
        json.WriteStartObject("envelope");
        json.WriteString("id", arrival.Id);
        json.WriteString("sender", arrival.Sender?.ToString() ?? "");
        json.WriteStartObject("parameters");
        foreach (var (key, value) in arrival.Parameters) json.WriteString(key, value ?? "");
        json.WriteEndObject();
        json.WriteStartArray("recipients");
        foreach (var recipient in arrival.Recipients)
        {
            json.WriteStartObject();
            Recipient(json, recipient);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void Recipient(Utf8JsonWriter json, ArrivalRecipient recipient)
    {
        json.WriteString("address", recipient.Address.ToString());
        json.WriteBoolean("local", recipient.Targets.Any(target => target.Account is not null));
    }

    static void Message(Utf8JsonWriter json, HookSettings hook, Arrival arrival)
    {
        var edits = new MessageEdits(arrival.Message, "Received"u8);
        json.WriteStartObject("message");
        json.WriteNumber("size", arrival.Message.Length);
        json.WriteString("disposition", arrival.Disposition.ToString().ToLowerInvariant());
        json.WriteStartArray("headers");
        foreach (var (name, value) in edits.Fields())
        {
            json.WriteStartObject();
            json.WriteString("name", Encoding.ASCII.GetString(name.Span));
            json.WriteString("value", Text(value.Span));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        var shown = edits.Body[..(int)Math.Min(edits.Body.Length, hook.Body)];
        if (hook.Body > 0) json.WriteBase64String("body", shown.Span);
        json.WriteNumber("bodySize", edits.Body.Length);
        json.WriteBoolean("bodyComplete", shown.Length == edits.Body.Length);
        json.WriteEndObject();
    }

    // unfolded (RFC 5322 2.2.3), not decoded; bytes that are no UTF-8 are shown as Latin-1, so that nothing is lost
    static string Text(ReadOnlySpan<byte> value)
    {
        var text = System.Text.Unicode.Utf8.IsValid(value) ? Encoding.UTF8.GetString(value) : Encoding.Latin1.GetString(value);
        return text.Replace("\r\n", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal).Trim(' ', '\t');
    }
}
