using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CbaMail.Tests.Wire;

/// <summary>A program in the foreground that listens somewhere until it is disposed.</summary>
internal sealed class Daemon : IAsyncDisposable
{
    private readonly Process process;
    private readonly StringBuilder said = new();

    private Daemon(string[] command)
    {
        process = Process.Start(new ProcessStartInfo(Tool.Find(command[0]), command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true })!;
        DataReceivedEventHandler keep = (_, e) => { lock (said) said.AppendLine(e.Data); };
        process.OutputDataReceived += keep;
        process.ErrorDataReceived += keep;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Said
    {
        get { lock (said) return said.ToString(); }
    }

    /// <param name="log">What it has written elsewhere, for the sentence when it does not start.</param>
    public static async Task<Daemon> StartAsync(IPEndPoint at, Func<string> log, params string[] command)
    {
        var daemon = new Daemon(command);
        try
        {
            await Wait.UntilAsync(async () =>
            {
                if (daemon.process.HasExited) throw new InvalidOperationException($"{string.Join(' ', command)} ended with {daemon.process.ExitCode}:\n{daemon.Said}\n{log()}");
                return await AnswersAsync(at);
            }, $"{command[^1]} answers at {at}");
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    private static async Task<bool> AnswersAsync(IPEndPoint at)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(at);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
