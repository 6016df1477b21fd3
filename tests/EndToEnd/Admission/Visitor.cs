using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using CbaMail.Tests.Wire;

namespace CbaMail.Tests.EndToEnd.Admission;

/// <summary>Somebody with a browser and no account.</summary>
sealed partial class Visitor(TestServer server, string language = "en") : IDisposable
{
    public const string Root = "https://mail.example.test", Settings = "admission: {url: \"https://mail.example.test\"}";

    readonly HttpClient http = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = new Uri($"http://127.0.0.1:{server.Http}") };

    /// <summary>Headers of the next requests.</summary>
    public Dictionary<string, string> Headers { get; } = new() { ["Accept-Language"] = language };

    public async Task<(int Status, string Page)> GetAsync(string path)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, null);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? body)
    {
        using var request = new HttpRequestMessage(method, path.StartsWith(Root, StringComparison.Ordinal) ? path[Root.Length..] : path) { Content = body };
        foreach (var (name, value) in Headers) request.Headers.TryAddWithoutValidation(name, value);
        return await http.SendAsync(request);
    }

    /// <summary>Sends a form.</summary>
    public async Task<(int Status, string Page)> PostAsync(string path, params (string Name, string Value)[] fields)
    {
        using var answer = await SendAsync(HttpMethod.Post, path, new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))));
        return ((int)answer.StatusCode, WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync()));
    }

    /// <summary>Asks the API.</summary>
    public async Task<(int Status, JsonElement Answer)> AskAsync(HttpMethod method, string path, object? body = null)
    {
        using var answer = await SendAsync(method, "/api/v1/" + path, body is null ? null : JsonContent.Create(body));
        return ((int)answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement);
    }

    public Task<(int Status, string Page)> JoinAsync(string link, string local, string name = "Anna Petrova", string password = "blue tram rides", string recovery = "") =>
        PostAsync(link, ("localPart", local), ("name", name), ("password", password), ("again", password), ("recovery", recovery));

    /// <summary>Reads the newest letter of a mailbox whose subject has the words, once it is there.</summary>
    public static async Task<string> LetterAsync(TestServer server, string address, string words, string password = TestServer.Password)
    {
        string? found = null;
        await Wait.UntilAsync(async () => (found = (await Letter.AllAsync(server.Imap, address, password: password)).LastOrDefault(text => Plain(text).Contains(words, StringComparison.Ordinal))) is not null, $"a letter to {address} about {words}");
        return Plain(found!);
    }

    /// <summary>Quoted-printable and encoded words undone as far as these tests look.</summary>
    static string Plain(string text)
    {
        text = Regex.Replace(text, @"=\?utf-8\?B\?([^?]*)\?=\s*", word => System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(word.Groups[1].Value)), RegexOptions.IgnoreCase);
        text = Regex.Replace(text, @"=\?utf-8\?Q\?([^?]*)\?=\s*", word => Quoted(word.Groups[1].Value.Replace('_', ' ')), RegexOptions.IgnoreCase);
        text = Regex.Replace(text, @"(?<=\r\n\r\n)(?:[A-Za-z0-9+/]{76}\r\n)*[A-Za-z0-9+/]+={0,2}(?=\r\n)", block =>
        {
            try { return System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(block.Value.Replace("\r\n", ""))); }
            catch (FormatException) { return block.Value; }
        });
        return Quoted(text);
    }

    static string Quoted(string text)
    {
        var bytes = new List<byte>();
        text = text.Replace("=\r\n", "", StringComparison.Ordinal);
        for (var i = 0; i < text.Length; i++)
            if (text[i] == '=' && i + 2 < text.Length && Uri.IsHexDigit(text[i + 1]) && Uri.IsHexDigit(text[i + 2])) { bytes.Add(Convert.ToByte(text.Substring(i + 1, 2), 16)); i += 2; }
            else bytes.AddRange(System.Text.Encoding.UTF8.GetBytes(text[i].ToString()));
        return System.Text.Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>The first link of ours in a letter.</summary>
    public static string LinkIn(string letter) => LinkOfOurs.Match(letter) is { Success: true } link ? link.Value : throw new InvalidOperationException("no link in: " + letter);

    [GeneratedRegex("https://mail\\.example\\.test/(join|reset|recovery)/[A-Za-z0-9_-]{32}")] private static partial Regex LinkOfOurs { get; }

    public static async Task<bool> SignsInAsync(TestServer server, string address, string password) =>
        (await Tool.RunAsync("curl", "--silent", "--max-time", "20", "--user", $"{address}:{password}", $"imap://127.0.0.1:{server.Imap}/INBOX")).ExitCode == 0;

    public void Dispose() => http.Dispose();
}
