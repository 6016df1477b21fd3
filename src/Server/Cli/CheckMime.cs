using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CbaMail.Mime;

namespace CbaMail.Cli;

/// <summary>
/// <c>cbamail check mime</c>: one JSON line a message with what the server's own reader makes of it. The root part carries the
/// message's <c>file</c> or <c>id</c>; every part its <c>headers</c>, decoded and in order.
/// </summary>
static class CheckMime
{
    static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 1000 };

    /// <summary>Reads the files, or with none standard input as one message; <paramref name="lines"/>: JSON lines with <c>id</c> and <c>message</c>.</summary>
    /// <returns>0, or 1 when a file could not be read.</returns>
    public static int Run(string[] files, bool lines, Stream stdin, TextWriter stdout)
    {
        if (lines)
        {
            using var reader = new StreamReader(stdin, Encoding.UTF8, leaveOpen: true);
            while (reader.ReadLine() is { } line)
                if (line.Trim().Length > 0) stdout.WriteLine(Line(line));
            stdout.Flush();
            return 0;
        }

        if (files.Length == 0)
        {
            using var all = new MemoryStream();
            stdin.CopyTo(all);
            stdout.WriteLine(Message(all.GetBuffer().AsSpan(0, (int)all.Length), json => json.WriteString("file", "-")));
        }

        var exit = 0;
        foreach (var file in files)
        {
            try
            {
                var bytes = File.ReadAllBytes(file);
                stdout.WriteLine(Message(bytes, json => json.WriteString("file", file)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
            {
                stdout.WriteLine(Error(json => json.WriteString("file", file), e.Message));
                exit = 1;
            }
        }

        stdout.Flush();
        return exit;
    }

    static string Line(string line)
    {
        Action<Utf8JsonWriter> name = json => json.WriteNull("id");
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return Error(name, "The line is no JSON object");
            if (root.TryGetProperty("id", out var id))
            {
                var kept = id.Clone();
                name = json =>
                {
                    json.WritePropertyName("id");
                    kept.WriteTo(json);
                };
            }

            if (!root.TryGetProperty("message", out var message) || message.ValueKind != JsonValueKind.String) return Error(name, "The line has no \"message\" in base64");
            return message.TryGetBytesFromBase64(out var bytes) ? Message(bytes, name) : Error(name, "\"message\" is not base64");
        }
        catch (JsonException)
        {
            return Error(name, "The line is not JSON");
        }
    }

    static string Message(ReadOnlySpan<byte> message, Action<Utf8JsonWriter> name)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(output, Relaxed))
        {
            json.WriteStartObject();
            name(json);
            Part(json, message, MimeTree.Parse(message));
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    static string Error(Action<Utf8JsonWriter> name, string sentence)
    {
        var output = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(output, Relaxed))
        {
            json.WriteStartObject();
            name(json);
            json.WriteString("error", sentence);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>What the fields of RFC 5322 3.6 with addresses and dates say: <c>addresses</c> of name and address, <c>date</c> as ISO 8601.</summary>
    static void Structured(Utf8JsonWriter json, HeaderField field)
    {
        switch (field.Name.ToLowerInvariant())
        {
            case "from" or "sender" or "reply-to" or "to" or "cc" or "bcc"
                or "resent-from" or "resent-sender" or "resent-reply-to" or "resent-to" or "resent-cc" or "resent-bcc":
                json.WriteStartArray("addresses");
                foreach (var mailbox in AddressList.Parse(field.Raw.Span).Mailboxes)
                {
                    json.WriteStartObject();
                    json.WriteString("name", mailbox.Name);
                    json.WriteString("address", mailbox.Address is { Length: > 0 } address ? address : "<>");
                    json.WriteEndObject();
                }

                json.WriteEndArray();
                break;
            case "date" or "resent-date" or "orig-date":
                if (MailDate.TryParse(field.Raw.Span, out var date)) json.WriteString("date", date.ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture));
                else json.WriteNull("date");
                break;
        }
    }

    static void Part(Utf8JsonWriter json, ReadOnlySpan<byte> message, MimePart part)
    {
        json.WriteStartArray("headers");
        foreach (var field in HeaderList.Parse(message[..(int)part.BodyOffset], (int)part.HeaderOffset))
        {
            json.WriteStartObject();
            json.WriteString("name", field.Name);
            json.WriteString("value", field.Value);
            Structured(json, field);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("type", part.Type);
        json.WriteString("subtype", part.Subtype);
        json.WriteStartObject("parameters");
        foreach (var (key, value) in part.Parameters) json.WriteString(key, value);
        json.WriteEndObject();
        json.WriteString("encoding", part.Encoding);
        // Of the decoded content; what a multipart holds is counted as it stands
        var content = part.IsMultipart || part.Children.Count > 0 ? part.Body(message) : ContentDecoder.Bytes(message, part);
        json.WriteNumber("size", content.Length);
        json.WriteNumber("rawSize", part.BodyLength);
        json.WriteString("disposition", part.Disposition);
        json.WriteString("filename", part.FileName?.Trim());
        if (!part.IsMultipart) json.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(content)));
        json.WriteStartArray("children");
        foreach (var child in part.Children)
        {
            json.WriteStartObject();
            Part(json, message, child);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
