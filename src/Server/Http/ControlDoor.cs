namespace CbaMail.Http;

/// <summary>The mark of a connection that came through the control socket; it is put there where the connection is accepted, and nowhere else.</summary>
sealed class ControlDoor
{
    ControlDoor() { }

    public static readonly ControlDoor Mark = new();

    public static bool Is(HttpContext context) => context.Features.Get<ControlDoor>() is not null;
}
