using System.Net.Sockets;
using CbaMail.Config;
using CbaMail.Storage;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace CbaMail.Http;

/// <summary>
/// HTTP: two doors in one Kestrel.
///
/// The control socket, <c>DATA/control.sock</c>, which the command line uses: who may open the file may administer, so it has mode 0600 before
/// anybody can connect. A request counts as one of it only by a mark that is put on its connection where it is accepted (<see cref="ControlDoor"/>).
///
/// The ports HTTP and HTTPS: the status page and /healthz for anybody, well-known files, and the API for who has a key or a session.
///
/// The API, /api/v1 at both doors: <see cref="ApiRoutes"/> and one file a resource in Api/, a row an operation; <see cref="ApiDoor"/> runs each
/// of them, asks who and whether, and keeps the audit log. The OpenAPI document is made of the rows (<see cref="OpenApi"/>).
///
/// Rules that a change must keep: no route without a permission, but for signing in and the document itself; an error is a problem (RFC 9457) with
/// a fitting status; times are ISO 8601 in UTC; long work answers as JSON lines and is cancelled when the client goes away; nothing external is
/// loaded by a page.
/// </summary>
public static class HttpRoom
{
    public static string SocketPath(string data) => Path.Combine(data, "control.sock");

    public static IServiceCollection AddHttpRoom(this IServiceCollection services) => services
        .AddSingleton<Health>()
        .AddSingleton<StatusPage>()
        .AddSingleton<ApiCallers>()
        .AddSingleton<PasskeyDoor>()
        .AddSingleton<ApiDoor>()
        .AddRoutingCore()
        .Configure<SocketTransportOptions>(transport => transport.CreateBoundListenSocket = Bind);

    public static void Configure(KestrelServerOptions kestrel, Settings settings)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 100 << 20;
        System.IO.Directory.CreateDirectory(settings.Data);
        kestrel.ListenUnixSocket(ControlSocket.EndPoint(settings.Data).ToString()!, listen => listen.Use(next => connection =>
        {
            connection.Features.Set(ControlDoor.Mark);
            return next(connection);
        }));
    }

    /// <summary>The two doors.</summary>
    public static void UseHttpRoom(this WebApplication app)
    {
        _ = app.Services.GetRequiredService<Health>(); // its uptime counts from here
        app.Use(SurpriseAsync);
        var api = app.Services.GetRequiredService<Settings>().Api.Enabled;
        app.MapWhen(context => ControlDoor.Is(context) || (api && context.Request.Path.StartsWithSegments("/api")), control =>
        {
            control.Use((context, next) =>
            {
                // as it was called before it had a door to the outside
                if (ControlDoor.Is(context) && context.Request.Path.StartsWithSegments("/v1")) context.Request.Path = "/api" + context.Request.Path;
                return next(context);
            });
            control.UseRouting();
            control.Use(async (context, next) =>
            {
                await next(context);
                if (context.Response is { StatusCode: 405, HasStarted: false }) await context.RefuseAsync(405, $"There is no {context.Request.Method} here, but {context.Response.Headers.Allow}");
            });
            control.UseEndpoints(ApiRoutes.Map);
            control.Run(context => context.RefuseAsync(404, $"There is no {context.Request.Method} {context.Request.Path} here"));
        });
        app.Use(async (context, next) =>
        {
            if (!await WellKnown.AnswerAsync(context)) await next(context);
        });
        app.Use(async (context, next) =>
        {
            if (!await JoinPages.AnswerAsync(context) && !await PasswordPages.AnswerAsync(context) && !await ListPages.AnswerAsync(context) && !await CourseLetterPages.AnswerAsync(context) && !await ApprovalPages.AnswerAsync(context) && !await ArchivePages.AnswerAsync(context) && !await ReaderPages.AnswerAsync(context) && !await SightingPages.AnswerAsync(context)) await next(context);
        });
        app.Run(context => context.Room<StatusPage>().AnswerAsync(context));
    }

    /// <summary>The one catch: a surprise is logged and becomes 500 without a word about its inside.</summary>
    static async Task SurpriseAsync(HttpContext context, RequestDelegate next)
    {
        var log = context.RequestServices.GetRequiredService<ILogger<ApiDoor>>();
        try
        {
            await next(context);
            HttpTelemetry.Answered(log, context.Request.Method, Shown(context.Request.Path), context.Response.StatusCode);
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
            HttpTelemetry.Failed(log, context.Request.Method, Shown(context.Request.Path), e);
            if (context.Response.HasStarted) context.Abort();
            else await context.RefuseAsync(500, "Something unexpected happened in the server; its log has the cause");
        }
    }

    // a link that lets somebody in stands in no log
    static string Shown(PathString path)
    {
        var text = path.Value ?? "";
        foreach (var root in new[] { "/join/", "/reset/", "/recovery/", "/list/", "/course-letter/", ApprovalPages.Root, Mailings.MailingLinks.Path, Mailings.Tracking.TrackedLinks.PicturePath, Mailings.Tracking.TrackedLinks.LinkPath })
            if (text.StartsWith(root, StringComparison.Ordinal)) return root + "***";
        return text;
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
