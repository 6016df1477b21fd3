using CbaMail.Courses;
using CbaMail.Storage;

namespace CbaMail.Mailings.Schedules;

/// <summary>Wakes the timetable when something is due, when a run has moved, and when a mailing was changed.</summary>
sealed class TimetableRunner(Timetable timetable, Sequences.SequenceRun sequences, CanaryWatch canaries, RunBook runs, PressRoom press, TimeProvider time, ILogger<TimetableRunner> log) : BackgroundService
{
    /// <summary>Who joins, and a clock that was set, are seen by then.</summary>
    static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);

    volatile TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    void Wake() => changed.TrySetResult();

    void Moved(WriteTransaction write, long run) => write.OnCommitted(Wake);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        press.Changed += Wake;
        runs.Moved += Moved;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
                var pause = Longest;
                try
                {
                    foreach (var next in (DateTimeOffset?[])[await timetable.WakeAsync(stoppingToken), await sequences.WakeAsync(stoppingToken), await canaries.WakeAsync(stoppingToken)])
                        if (next - time.GetUtcNow() is { } left && left < pause) pause = left;
                }
                catch (Exception error) when (StoreTrouble.Of(error) is not null) { pause = AfterFailure; } // the store has told the log
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    MailingsTelemetry.TimetableFailed(log, error);
                    pause = AfterFailure;
                }
                if (pause > TimeSpan.Zero)
                    try { await changed.Task.WaitAsync(pause, time, stoppingToken); }
                    catch (TimeoutException) { } // the pause is over
            }
        }
        finally
        {
            press.Changed -= Wake;
            runs.Moved -= Moved;
        }
    }
}
