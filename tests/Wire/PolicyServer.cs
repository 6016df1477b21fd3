using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace CbaMail.Tests.Wire;

/// <summary>A web server over TLS that hands out what the test wants at /.well-known/mta-sts.txt.</summary>
internal sealed class PolicyServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private int requests;

    private PolicyServer(WebApplication app) => this.app = app;

    public int Port { get; private set; }
    public SslStreamCertificateContext Shown { get; set; } = null!;
    public string Policy { get; set; } = "";
    public string ContentType { get; set; } = "text/plain; charset=utf-8";
    public int Status { get; set; } = 200;
    public int Requests => Volatile.Read(ref requests);

    public static async Task<PolicyServer> StartAsync(SslStreamCertificateContext shown, IPEndPoint? at = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        PolicyServer server = null!;
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(at ?? new IPEndPoint(IPAddress.Loopback, 0), options =>
            options.UseHttps((_, _, _, _) => ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificateContext = server.Shown }), null!)));
        var app = builder.Build();
        server = new PolicyServer(app) { Shown = shown };
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        server.Port = new Uri(app.Urls.First()).Port;
        return server;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Interlocked.Increment(ref requests);
        context.Response.StatusCode = context.Request.Path == "/.well-known/mta-sts.txt" ? Status : 404;
        if (Status is >= 300 and < 400) context.Response.Headers.Location = $"https://{context.Request.Host}/.well-known/mta-sts.txt?again";
        context.Response.ContentType = ContentType;
        await context.Response.WriteAsync(Policy);
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
