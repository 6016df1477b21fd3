namespace CbaMail.Inbound.Hooks;

/// <summary>A hook cannot be reached, is too slow, or answers what is no answer: its mode of failure decides. Does not leave this folder.</summary>
sealed class HookTrouble(string sentence, Exception? cause = null) : Exception(sentence, cause);
