using System.Net;
using System.Text;
using System.Text.Json;

namespace CbaMail.Tests.Wire;

/// <summary>A web service that hooks ask: keeps each question and answers by a script.</summary>
internal sealed class HookPeer : IAsyncDisposable
{
    private readonly HttpListener listener = new();
    private readonly Lock gate = new();
    private readonly List<(string Body, string? Signature)> questions = [];

    public HookPeer()
    {
        var port = FreePorts.One();
        Url = $"http://127.0.0.1:{port}/hook/";
        listener.Prefixes.Add(Url);
        listener.Start();
        _ = ServeAsync();
    }

    public string Url { get; }
    /// <summary>Gets a question, gives status and body; a status of 0 is no answer at all.</summary>
    public Func<JsonElement, (int Status, string Body)> Answer { get; set; } = _ => (204, "");
    public IReadOnlyList<(string Body, string? Signature)> Questions { get { lock (gate) return [.. questions]; } }
    public IReadOnlyList<JsonElement> Asked => [.. Questions.Select(q => JsonDocument.Parse(q.Body).RootElement)];

    private async Task ServeAsync()
    {
        try
        {
            while (true) _ = AnswerAsync(await listener.GetContextAsync());
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException) { _ = e; }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
        var body = await reader.ReadToEndAsync();
        lock (gate) questions.Add((body, context.Request.Headers["X-CBA-Mail-Signature"] ?? context.Request.Headers["X-CBAMail-Signature"]));
        var (status, answer) = Answer(JsonDocument.Parse(body).RootElement);
        if (status == 0) return;
        try
        {
            context.Response.StatusCode = status;
            if (status != 204) await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer));
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or ObjectDisposedException or IOException) { _ = e; } // the server had enough of it
    }

    public ValueTask DisposeAsync()
    {
        listener.Close();
        return ValueTask.CompletedTask;
    }
}
