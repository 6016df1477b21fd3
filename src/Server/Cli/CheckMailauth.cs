using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using CbaMail.Dns;

namespace CbaMail.Cli;

/// <summary>
/// <c>cbamail check mailauth</c>: a JSON object a line is answered with one line, flushed. What runs is what judges arriving mail
/// and signs our own, with DNS out of the request. A line that cannot be answered gets an <c>error</c>, and the run goes on.
/// </summary>
static class CheckMailauth
{
    /// <summary>Answers one request: reads its fields and writes those of the answer. A <see cref="FormatException"/> becomes its <c>error</c>.</summary>
    public delegate ValueTask Operation(JsonElement request, IResolver dns, Utf8JsonWriter answer, CancellationToken cancel);

    // A message of 50 MB in base64 and its zone
    const int MaxLine = 100 << 20;

    static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What <c>op</c> may be.</summary>
    static readonly Dictionary<string, Operation> Operations = new()
    {
        ["spf"] = MailauthPolicyOperations.SpfAsync,
        ["dkim"] = CheckMailauthDkim.VerifyAsync,
        ["dmarc"] = MailauthPolicyOperations.DmarcAsync,
        ["dkim-sign"] = CheckMailauthDkim.SignAsync,
        ["arc"] = CheckMailauthArc.VerifyAsync,
        ["arc-seal"] = CheckMailauthArc.SealAsync,
    };

    /// <summary>Answers every line of <paramref name="input"/> until its end.</summary>
    public static async Task<int> RunAsync(Stream input, Stream output, CancellationToken cancel)
    {
        var line = new ArrayBufferWriter<byte>(1 << 16);
        var chunk = new byte[1 << 16];
        var tooLong = false;
        while (true)
        {
            var count = await input.ReadAsync(chunk, cancel);
            for (var at = 0; at < count;)
            {
                var end = chunk.AsSpan(at, count - at).IndexOf((byte)'\n');
                var piece = chunk.AsMemory(at, end < 0 ? count - at : end);
                tooLong |= line.WrittenCount + piece.Length > MaxLine;
                if (!tooLong) line.Write(piece.Span);
                at += piece.Length + (end < 0 ? 0 : 1);
                if (end < 0) continue;
                await AnswerLineAsync(line.WrittenMemory, tooLong, output, cancel);
                line.ResetWrittenCount();
                tooLong = false;
            }

            if (count > 0) continue;
            await AnswerLineAsync(line.WrittenMemory, tooLong, output, cancel);
            return 0;
        }
    }

    static async Task AnswerLineAsync(ReadOnlyMemory<byte> line, bool tooLong, Stream output, CancellationToken cancel)
    {
        if (line.Span.IndexOfAnyExcept(" \t\r\n"u8) < 0 && !tooLong) return;
        var answer = tooLong ? Error(default, $"the line is longer than {MaxLine >> 20} MB") : await AnswerAsync(line, cancel);
        await output.WriteAsync(answer, cancel);
        await output.FlushAsync(cancel);
    }

    static async ValueTask<ReadOnlyMemory<byte>> AnswerAsync(ReadOnlyMemory<byte> line, CancellationToken cancel)
    {
        JsonElement id = default;
        try
        {
            using var document = JsonDocument.Parse(line);
            var request = document.RootElement;
            if (request.ValueKind != JsonValueKind.Object) return Error(default, "the line is no JSON object");
            if (request.TryGetProperty("id", out var given)) id = given.Clone();
            if (!request.TryGetProperty("op", out var op) || op.ValueKind != JsonValueKind.String) return Error(id, "the line has no \"op\"");
            if (!Operations.TryGetValue(op.GetString()!, out var operation)) return Error(id, "unsupported");
            request.TryGetProperty("zone", out var zone);
            var buffer = new ArrayBufferWriter<byte>(512);
            using var answer = new Utf8JsonWriter(buffer, Relaxed);
            answer.WriteStartObject();
            WriteId(answer, id);
            await operation(request, new ZoneResolver(zone), answer, cancel);
            answer.WriteEndObject();
            answer.Flush();
            buffer.Write("\n"u8);
            return buffer.WrittenMemory;
        }
        catch (JsonException)
        {
            return Error(id, "the line is not JSON");
        }
        catch (FormatException e)
        {
            return Error(id, e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // e.g. a lone surrogate in a string, a key that libcrypto does not take: one line's fault must not end the run
            return Error(id, $"the line cannot be answered: {e.Message}");
        }
    }

    static ReadOnlyMemory<byte> Error(JsonElement id, string sentence)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using var answer = new Utf8JsonWriter(buffer, Relaxed);
        answer.WriteStartObject();
        WriteId(answer, id);
        answer.WriteString("error", sentence);
        answer.WriteEndObject();
        answer.Flush();
        buffer.Write("\n"u8);
        return buffer.WrittenMemory;
    }

    static void WriteId(Utf8JsonWriter answer, JsonElement id)
    {
        answer.WritePropertyName("id");
        if (id.ValueKind == JsonValueKind.Undefined) answer.WriteNullValue();
        else id.WriteTo(answer);
    }

    /// <summary>A string of the request.</summary>
    /// <param name="fallback">What stands for a string that is not there; without it the request is refused.</param>
    /// <exception cref="FormatException">It is missing or no string.</exception>
    public static string String(JsonElement request, string name, string? fallback = null)
    {
        if (!request.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return fallback ?? throw new FormatException($"the line has no \"{name}\"");
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw new FormatException($"\"{name}\" must be a string");
    }

    /// <summary>The bytes of a message in base64.</summary>
    /// <exception cref="FormatException">They are missing or no base64.</exception>
    public static byte[] Message(JsonElement request) =>
        request.TryGetProperty("message", out var value) && value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out var bytes)
            ? bytes : throw new FormatException("the line has no \"message\" in base64");

    /// <summary>Names of header fields: a list, or a text with colons; null where there are none.</summary>
    public static IReadOnlyList<string>? Names(JsonElement request, string name)
    {
        if (!request.TryGetProperty(name, out var value)) return null;
        return value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => [.. value.GetString()!.Split(':', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)],
            JsonValueKind.Array when value.EnumerateArray().All(n => n.ValueKind == JsonValueKind.String) => [.. value.EnumerateArray().Select(n => n.GetString()!.Trim())],
            _ => throw new FormatException($"\"{name}\" must be a list of field names"),
        };
    }

    /// <summary>The <c>now</c> of a request: without one nothing has expired.</summary>
    public static DateTimeOffset Now(JsonElement request) => DateTimeOffset.FromUnixTimeSeconds(Seconds(request, "now") ?? 0);

    /// <summary>A moment in seconds since 1970, as a number or in digits; null where there is none.</summary>
    /// <exception cref="FormatException">It is no such number.</exception>
    public static long? Seconds(JsonElement request, string name)
    {
        if (!request.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && Math.Abs(number) < 1e11) return (long)number;
        return value.ValueKind == JsonValueKind.String && long.TryParse(value.GetString(), out var digits) ? digits : throw new FormatException($"\"{name}\" must be a number of seconds");
    }
}
