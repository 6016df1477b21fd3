using System.Diagnostics;
using System.Net;
using CbaMail.Admission;
using CbaMail.Authorization;
using CbaMail.Backup;
using CbaMail.Cli;
using CbaMail.Config;
using CbaMail.Correspondents;
using CbaMail.Courses;
using CbaMail.Delivery;
using CbaMail.Directory;
using CbaMail.Federation;
using CbaMail.Http;
using CbaMail.Imap;
using CbaMail.Inbound;
using CbaMail.Mailboxes;
using CbaMail.Lists;
using CbaMail.Mailings;
using CbaMail.Net;
using CbaMail.Net.Dns;
using CbaMail.Observability;
using CbaMail.Pop3;
using CbaMail.Queue;
using CbaMail.Reports;
using CbaMail.Resources;
using CbaMail.Sasl;
using CbaMail.Smtp.Server;
using CbaMail.Storage;
using CbaMail.Submission;
using CbaMail.Tls;
using CbaMail.Tls.Acme;
using CbaMail.Warmup;
using CbaMail.Webhooks;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace CbaMail;

/// <summary>Composition: which rooms start, in what order, and what speaks on which port; no logic.</summary>
public static class Composition
{
    /// <summary>Builds the whole server without starting it; tests do so too.</summary>
    public static WebApplication Build(Settings settings, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        AddRooms(builder.Services, settings, time ?? TimeProvider.System);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, settings));
        var app = builder.Build();
        Wire(app.Services);
        app.UseHttpRoom();
        return app;
    }

    static void AddRooms(IServiceCollection services, Settings settings, TimeProvider time)
    {
        services.AddSingleton(settings).AddSingleton(time);
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(4));
        services.Configure<ConsoleLifetimeOptions>(console => console.SuppressStatusMessages = true);
        services
            .AddObservability(settings.Log)
            .AddNet()
            .AddDns()
            .AddStorage(MailStore.RemoveUnacknowledged)
            .AddTls()
            .AddSingleton(p => new MailDomains(() => [.. p.GetRequiredService<UserDirectory>().ListDomains().Select(domain => domain.Name)]))
            .AddDirectory()
            .AddMailboxes()
            .AddCorrespondents()
            .AddResources()
            .AddSasl()
            .AddFederation(settings)
            .AddAuthorizationRoom()
            .AddBackup()
            .AddQueue()
            .AddCourses()
            .AddMailings()
            .AddLists()
            .AddReports()
            .AddWebhooks()
            .AddSubmission()
            .AddLocalDelivery()
            .AddMailingRun()
            .AddRemoteDelivery()
            .AddAdmission()
            .AddHostedService<MailingRun>()
            .AddInbound()
            .AddImap()
            .AddPop3()
            .AddSmtpServer()
            .AddHttpRoom()
            .AddListeners(Speaker)
            .AddWarmup(own => Build(own));
    }

    /// <summary>What needs two rooms that do not know each other.</summary>
    static void Wire(IServiceProvider services)
    {
        MailboxesRoom.Attach(services.GetRequiredService<MailStore>(), services.GetRequiredService<UserDirectory>());
        services.GetRequiredService<Undelete>().Begin();
        AuthorizationRoom.Attach(services.GetRequiredService<UserDirectory>(), services.GetRequiredService<ApiKeys>(), services.GetRequiredService<Sessions>());
        AdmissionRoom.Attach(services.GetRequiredService<UserDirectory>());
        WebhooksRoom.Attach(services);
        var audit = services.GetRequiredService<AuditLog>();
        FederationRoom.Attach(services, (write, source, deed) => audit.Append(write, new AuditEntry(audit.Time.GetUtcNow(), "ldap:" + source, "", deed.Action, deed.Subject, deed.Status, deed.Before, deed.After)));
        services.GetRequiredService<ReportPost>().Local = (from, to, message, cancel) => services.GetRequiredService<LocalDelivery>().DeliverOwnAsync(from, to, message, cancel);
        var complaints = services.GetRequiredService<Complaints>();
        complaints.FindCopy = (read, id, messageId) => (id is { } row ? CopyTable.Find(read, row) : CopyTable.Find(read, messageId!)) is { } copy ? new(copy.LedgerId, copy.Mailing, copy.Address, copy.Sender) : null;
        var queue = services.GetRequiredService<MailQueue>();
        complaints.ReadReturnAddress = address => queue.Bounces.Read(address) is { Kind: BounceKind.Ledger } ticket ? ticket.Id : null;
        complaints.Suppress = (write, address, told, source) => queue.Suppressions.Put(write, address, new Suppression(address.Key, "complaint", told, source, queue.Time.GetUtcNow(), null));
        complaints.MarkCopy = (write, copy, told) => CopyTable.MarkComplaint(write, copy.LedgerId, told, queue.Time.GetUtcNow());
    }

    static void Listen(KestrelServerOptions kestrel, Settings settings)
    {
        HttpRoom.Configure(kestrel, settings);
        foreach (var listener in settings.Listeners)
        {
            var address = IPAddress.Parse(listener.Address);
            if (listener.Protocol == Protocol.Http) kestrel.Listen(address, listener.Port, options => options.BehindProxy(listener).Protocols = HttpProtocols.Http1); // HTTP/2 needs TLS to be agreed on
            if (listener.Protocol == Protocol.Https) kestrel.Listen(address, listener.Port, options => options.BehindProxy(listener).UseCertificates());
        }
    }

    static Func<Connection, Task>? Speaker(IServiceProvider services, Protocol protocol) => protocol switch
    {
        Protocol.Imap or Protocol.Imaps => services.GetRequiredService<ImapHandler>().RunAsync,
        Protocol.Pop3 or Protocol.Pop3s => services.GetRequiredService<Pop3Handler>().RunAsync,
        Protocol.Http or Protocol.Https => null,
        _ => services.GetRequiredService<SmtpHandler>().RunAsync,
    };

    /// <summary>Serves until a signal; what stands in the way of starting is said in a sentence.</summary>
    /// <returns>The exit code.</returns>
    public static async Task<int> ServeAsync(Settings settings, ServeOptions options)
    {
        var since = Stopwatch.GetTimestamp();
        WebApplication? app = null;
        try
        {
            app = Build(settings);
            await app.StartAsync();
        }
        catch (Exception e) when (StartProblem.Sentence(e, settings) is { } sentence)
        {
            if (app is not null) await StopQuietlyAsync(app);
            await Console.Error.WriteLineAsync("cbamail: " + sentence);
            return 1;
        }
        await Announcement.WriteAsync(settings, Stopwatch.GetElapsedTime(since));
        await options.Started(app.Services);
        await app.WaitForShutdownAsync();
        await app.DisposeAsync();
        return 0;
    }

    /// <summary>Builds every room on an empty directory and starts none: each says at once what it cannot live with.</summary>
    /// <returns>That sentence, or null.</returns>
    public static async Task<string?> LookAsync(Settings settings)
    {
        var folder = System.IO.Directory.CreateTempSubdirectory("cbamail-look-").FullName;
        WebApplication? app = null;
        try
        {
            app = Build(settings with { Data = folder, Log = LogLevel.None });
            _ = app.Services.GetServices<IHostedService>().Count();
            await app.DisposeAsync();
            return await Federation.Ldap.LdapLook.ProblemAsync(settings);
        }
        catch (Exception e) when (StartProblem.Sentence(e, settings) is { } sentence)
        {
            if (app is not null) await StopQuietlyAsync(app);
            return sentence;
        }
        finally
        {
            System.IO.Directory.Delete(folder, recursive: true);
        }
    }

    static async Task StopQuietlyAsync(WebApplication app)
    {
        try { await app.DisposeAsync(); }
        catch (InvalidOperationException) { } // what kept it from starting keeps it from stopping; it has been said
    }
}
