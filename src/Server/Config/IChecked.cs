namespace CbaMail.Config;

/// <summary>Settings that can be wrong although each value is of its kind; asked while the file is read, so that the sentence has a line.</summary>
internal interface IChecked
{
    /// <summary>What is wrong, in a sentence, or null.</summary>
    string? Problem();
}
