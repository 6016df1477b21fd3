using System.Net.Sockets;
using CbaMail.Config;
using CbaMail.Storage;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace CbaMail.Http;

/// <summary>
/// HTTP: two doors in one Kestrel.
///
/// The control socket, <c>DATA/control.sock</c>: the API that the command line uses (ApiRoutes and one file a resource in Api/).
/// Who may open the file may administer, so it has mode 0600 before anybody can connect. A request counts as one of the control socket
/// only by a mark that is put on its connection where it is accepted; on TCP there is no mark, and so no API, whatever the request says.
///
/// The ports HTTP and HTTPS: the status page and /healthz, for anybody, until the web client exists.
///
/// Rules that a change must keep: an error is {"error": sentence} with a fitting status; times are ISO 8601 in UTC;
/// long work answers as JSON lines and is cancelled when the client goes away; nothing external is loaded by the page.
/// </summary>
public static class HttpRoom
{
    /// <summary>The mark of a connection that came through the control socket.</summary>
    sealed class ControlDoor;

    public static string SocketPath(string data) => Path.Combine(data, "control.sock");

    public static IServiceCollection AddHttpRoom(this IServiceCollection services) => services
        .AddSingleton<Health>()
        .AddSingleton<StatusPage>()
        .AddRoutingCore()
        .Configure<SocketTransportOptions>(transport => transport.CreateBoundListenSocket = Bind);

    public static void Configure(KestrelServerOptions kestrel, Settings settings)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 100 << 20;
        System.IO.Directory.CreateDirectory(settings.Data);
        kestrel.ListenUnixSocket(ControlSocket.EndPoint(settings.Data).ToString()!, listen => listen.Use(next => connection =>
        {
            connection.Features.Set(new ControlDoor());
            return next(connection);
        }));
    }

    /// <summary>The two doors.</summary>
    public static void UseHttpRoom(this WebApplication app)
    {
        _ = app.Services.GetRequiredService<Health>(); // its uptime counts from here
        app.Use(SurpriseAsync);
        app.MapWhen(context => context.Features.Get<ControlDoor>() is not null, control =>
        {
            control.UseRouting();
            control.UseEndpoints(ApiRoutes.Map);
            control.Run(context => context.RefuseAsync(404, $"There is no {context.Request.Method} {context.Request.Path} here"));
        });
        app.Use(async (context, next) =>
        {
            if (!await WellKnown.AnswerAsync(context)) await next(context);
        });
        app.Run(context => context.Room<StatusPage>().AnswerAsync(context));
    }

    /// <summary>The one catch: a surprise is logged and becomes 500 without a word about its inside.</summary>
    static async Task SurpriseAsync(HttpContext context, RequestDelegate next)
    {
        var log = context.RequestServices.GetRequiredService<ILogger<ControlDoor>>();
        try
        {
            await next(context);
            HttpTelemetry.Answered(log, context.Request.Method, context.Request.Path.Value ?? "", context.Response.StatusCode);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            context.Abort(); // the client has gone away
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException e)
        {
            if (!context.Response.HasStarted) await context.RefuseAsync(e.StatusCode, "The request cannot be read");
        }
        catch (Exception e) when (!context.Response.HasStarted && StoreTrouble.Of(e) is { } trouble)
        {
            await context.RefuseAsync(trouble); // the store has told the log
        }
        catch (Exception e)
        {
            HttpTelemetry.Failed(log, context.Request.Method, context.Request.Path.Value ?? "", e);
            if (context.Response.HasStarted) context.Abort();
            else await context.RefuseAsync(500, "Something unexpected happened in the server; its log has the cause");
        }
    }

    static Socket Bind(System.Net.EndPoint endpoint)
    {
        if (endpoint is not UnixDomainSocketEndPoint) return SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        var path = endpoint.ToString()!;
        // the data directory's lock is ours by now: a socket that is still there belongs to a server that was killed
        File.Delete(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(endpoint);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite); // before listen(): nobody has connected
        return socket;
    }
}
