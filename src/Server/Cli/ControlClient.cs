using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CbaMail.Http;

namespace CbaMail.Cli;

/// <summary>Speaks to the running server over <c>DATA/control.sock</c>; refusals of the server become <see cref="Refused"/>.</summary>
public sealed class ControlClient : IDisposable
{
    readonly HttpClient http;
    readonly string data;

    public ControlClient(string data)
    {
        this.data = data;
        http = new HttpClient(new SocketsHttpHandler { ConnectCallback = ConnectAsync, UseProxy = false, AllowAutoRedirect = false })
        {
            BaseAddress = new Uri("http://control/api/v1/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(ControlSocket.EndPoint(data), cancel);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>An object, or the items of a list.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        var answer = await SendAsync(HttpMethod.Get, path, null);
        return answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty("items", out var items) && answer.TryGetProperty("next", out _) ? items : answer;
    }

    public Task<JsonElement> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path, null);

    /// <param name="body">Null for none.</param>
    public Task<JsonElement> PostAsync(string path, JsonBody? body = null) => SendAsync(HttpMethod.Post, path, body?.Content());
    public Task<JsonElement> PatchAsync(string path, JsonBody body) => SendAsync(HttpMethod.Patch, path, body.Content());
    public Task<JsonElement> PutAsync(string path, JsonBody body) => SendAsync(HttpMethod.Put, path, body.Content());
    public Task<JsonElement> PostAsync(string path, Stream body, string type) => SendAsync(HttpMethod.Post, path, Content(body, type));

    /// <summary>Posts and reads JSON lines as they come.</summary>
    public async IAsyncEnumerable<JsonElement> StreamAsync(HttpMethod method, string path, HttpContent? body = null)
    {
        using var response = await AskAsync(method, path, body);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await ReadLineAsync(reader) is { } line)
            if (line.Length > 0) yield return Parse(line);
    }

    /// <summary>The raw text of an answer.</summary>
    public async Task CopyAsync(string path, TextWriter output)
    {
        using var response = await AskAsync(HttpMethod.Get, path, null);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var buffer = new char[8192];
        while (await reader.ReadAsync(buffer) is > 0 and var count) await output.WriteAsync(buffer.AsMemory(0, count));
    }

    public static HttpContent Content(Stream body, string type)
    {
        var content = new StreamContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return content;
    }

    async Task<JsonElement> SendAsync(HttpMethod method, string path, HttpContent? body)
    {
        using var response = await AskAsync(method, path, body);
        var text = await response.Content.ReadAsStringAsync();
        return text.Length == 0 ? default : Parse(text);
    }

    /// <summary>The answer as it comes; a refusal is thrown.</summary>
    public async Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, HttpContent? body, IReadOnlyList<(string Name, string Value)>? headers = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        foreach (var (name, value) in headers ?? []) request.Headers.TryAddWithoutValidation(name, value);
        HttpResponseMessage response;
        try { response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead); }
        catch (HttpRequestException e) { throw NotThere(e); }
        if (response.IsSuccessStatusCode) return response;
        var text = await response.Content.ReadAsStringAsync();
        response.Dispose();
        throw new Refused(Sentence(text) ?? (response.StatusCode == HttpStatusCode.NotFound ? "This server does not know that; is it an older release?" : $"The server answered {(int)response.StatusCode}"));
    }

    Refused NotThere(Exception e)
    {
        var path = Path.GetFullPath(data);
        var socket = HttpRoom.SocketPath(path);
        if (e is HttpRequestException { InnerException: SocketException { SocketErrorCode: SocketError.AccessDenied } })
            return new($"Only the user who runs the server may use {socket}; try again as that user or as root");
        return File.Exists(socket)
            ? new($"The server on {path} has stopped or gives no answer; start it with: cbamail serve --data {path}")
            : new($"No server is running on {path}; start it with: cbamail serve --data {path}, or name its data directory with --data DIR");
    }

    async Task<string?> ReadLineAsync(StreamReader reader)
    {
        try { return await reader.ReadLineAsync(); }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new Refused("The server went away before it had finished; look with \"cbamail status\" and run the command again");
        }
    }

    static JsonElement Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw new Refused("The server's answer was cut off; run the command again");
        }
    }

    static string? Sentence(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.TryGetProperty("detail", out var detail) || document.RootElement.TryGetProperty("error", out detail) ? detail.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public void Dispose() => http.Dispose();
}

/// <summary>A JSON object as the body of a request; null values are left out. Written without reflection: the command line starts fast.</summary>
public sealed class JsonBody
{
    static readonly JsonWriterOptions Written = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    readonly List<Action<Utf8JsonWriter>> fields = [];

    public JsonBody Add(string name, string? value) { if (value is not null) fields.Add(json => json.WriteString(name, value)); return this; }
    public JsonBody Add(string name, bool? value) { if (value is { } v) fields.Add(json => json.WriteBoolean(name, v)); return this; }
    /// <summary>Also null, which takes a thing away (RFC 7396 2).</summary>
    public JsonBody Set(string name, System.Text.Json.Nodes.JsonNode? value)
    {
        fields.Add(json =>
        {
            json.WritePropertyName(name);
            if (value is null) json.WriteNullValue(); else value.WriteTo(json);
        });
        return this;
    }

    public JsonBody Add(string name, long? value) { if (value is { } v) fields.Add(json => json.WriteNumber(name, v)); return this; }
    public JsonBody Add(string name, JsonBody? value)
    {
        if (value is not null) fields.Add(json => { json.WritePropertyName(name); value.WriteTo(json); });
        return this;
    }

    public JsonBody Add(string name, IReadOnlyList<JsonBody> objects)
    {
        fields.Add(json =>
        {
            json.WriteStartArray(name);
            foreach (var item in objects) item.WriteTo(json);
            json.WriteEndArray();
        });
        return this;
    }

    public JsonBody Add(string name, IEnumerable<string> values)
    {
        fields.Add(json =>
        {
            json.WriteStartArray(name);
            foreach (var value in values) json.WriteStringValue(value);
            json.WriteEndArray();
        });
        return this;
    }

    internal ByteArrayContent Content() => new(Encoding.UTF8.GetBytes(ToString())) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    public override string ToString()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, Written)) WriteTo(json);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        foreach (var field in fields) field(json);
        json.WriteEndObject();
    }
}
