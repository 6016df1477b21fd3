namespace CbaMail.Mailings.Schedules;

/// <summary>What becomes of a mailing whose time passed while the server could not send.</summary>
public enum Missed { Send, Skip, Ask }

/// <summary>The days that a schedule counts from.</summary>
public enum Anchor { Start, End, Enrolment, Session }

/// <summary>What makes a mailing go out. Times are of a clock on the wall: the run's, or each reader's.</summary>
public abstract record Trigger
{
    Trigger() { }

    /// <summary>As soon as it is started.</summary>
    public sealed record Now : Trigger;

    /// <summary>Once, on a day of the calendar.</summary>
    public sealed record At(DateOnly Day, TimeOnly Time) : Trigger;

    /// <summary>On a day of the run; the first is 1.</summary>
    public sealed record RunDay(int Day, TimeOnly Time) : Trigger;

    /// <summary>Days before (negative) or after the first or last day of the run, the day of a meeting, or that on which somebody joined.</summary>
    public sealed record DaysFrom(Anchor Anchor, int Days, TimeOnly Time) : Trigger;

    /// <summary>A span before (negative) or after the beginning of each meeting.</summary>
    public sealed record FromSession(TimeSpan Offset) : Trigger;

    /// <summary>On these days of each week while the run lasts.</summary>
    /// <param name="Days">One bit a day, Sunday the lowest (<see cref="DayOfWeek"/>).</param>
    public sealed record Weekly(int Days, TimeOnly Time) : Trigger
    {
        public bool Has(DayOfWeek day) => (Days & (1 << (int)day)) != 0;
    }
}

/// <summary>Who of its readers gets a mailing, by what he did with an earlier one until then.</summary>
/// <param name="Not">Who has not done so.</param>
public sealed record Condition(bool Not, CopyFate Fate, long Mailing);

/// <summary>When a mailing goes out.</summary>
/// <param name="SchoolDays">Only Monday to Friday outside of the run's holidays are counted.</param>
/// <param name="OwnZone">By the clock of each reader; without: by that of the run.</param>
/// <param name="CatchUp">Who joins later gets it then.</param>
/// <param name="If">Asked when it is due.</param>
public sealed record Schedule(Trigger Trigger, bool SchoolDays = false, bool OwnZone = false, bool CatchUp = false, Missed Missed = Missed.Send, Condition? If = null)
{
    /// <summary>It goes out once for each meeting or week, each time as a mailing of its own.</summary>
    public bool Repeats => Trigger is Trigger.Weekly or Trigger.FromSession or Trigger.DaysFrom { Anchor: Anchor.Session };

    /// <summary>Its time is another for each reader.</summary>
    public bool IsPersonal => OwnZone || Trigger is Trigger.DaysFrom { Anchor: Anchor.Enrolment };

    public override string ToString() => ScheduleText.Of(this);
}
