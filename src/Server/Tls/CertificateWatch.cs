using System.Runtime.InteropServices;

namespace CbaMail.Tls;

/// <summary>Looks at the configured files each minute, and at once with SIGHUP.</summary>
sealed class CertificateWatch(Certificates certificates, TimeProvider time) : IHostedService, IDisposable
{
    static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);
    ITimer? timer;
    PosixSignalRegistration? signal;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        timer = time.CreateTimer(_ => certificates.Reload(), null, Interval, Interval);
        // on a terminal SIGHUP says that it was closed, and ends the server as ever
        if (!OperatingSystem.IsWindows() && Console.IsInputRedirected) signal = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true; // it means "look again" here, not "end"
            certificates.Reload(always: true);
        });
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        timer?.Dispose();
        signal?.Dispose();
    }
}
