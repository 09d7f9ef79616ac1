"""MelSpectrogram: the loudness of an audio signal by time and pitch."""

from minikeras.core.loading import reserve
from minikeras.core.variable import convert_to_tensor
from minikeras.layers.preprocessing.data_layer import DataLayer
from minikeras.layers.preprocessing.numeric.encoding import check
from minikeras.ops.mel import mel_matrix, mel_spectrogram


class MelSpectrogram(DataLayer):
    """Turn audio signals into mel spectrograms, in decibels.

    |STFT|^mag_exp, summed over triangular bands of equal width in mel.

    Args:
        fft_length: int, samples of each Fourier transform.
        sequence_stride: int, samples from one window to the next.
        sequence_length: int <= fft_length, samples of a window; None: `fft_length`.
        window: "hann", "hamming", array of `sequence_length` weights, or None for ones.
        sampling_rate: int, samples per second.
        num_mel_bins: int, the number of bands.
        min_freq: float, lower edge of the first band in hertz.
        max_freq: float, upper edge of the last; None: `sampling_rate / 2`.
        power_to_db: bool, whether to return decibels.
        top_db: float, the range of the decibels.
        mag_exp: float, 1 for magnitudes, 2 for powers.
        min_power: float > 0, to which smaller powers are raised.
        ref_power: float, the power of 0 decibels.
        **kwargs: `name`, `dtype` and the other arguments of `keras.Layer`.

    Input shape: (samples,) or (batch, samples).
    Output shape: (num_mel_bins, time) or (batch, num_mel_bins, time).

    Raises:
        ValueError: `fft_length` is smaller than `sequence_length`.

    >>> layer = keras.layers.MelSpectrogram(64, 16, num_mel_bins=8, sampling_rate=8000)
    >>> layer(np.ones((2, 160), "float32")).shape
    (2, 8, 11)
    """

    def __init__(
        self, fft_length=2048, sequence_stride=512, sequence_length=None, window="hann",
        sampling_rate=16000, num_mel_bins=128, min_freq=20.0, max_freq=None,
        power_to_db=True, top_db=80.0, mag_exp=2.0, min_power=1e-10, ref_power=1.0,
        **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        sequence_length = sequence_length or fft_length
        max_freq = max_freq or int(sampling_rate / 2)
        # The matrix of the bands, of which half is zero and none a Python number.
        reserve(fft_length * num_mel_bins // 8, "a spectrogram")
        self._mk_set_arguments(locals())
        check(self, (fft_length < sequence_length, "`fft_length` must be greater than "
                     f"or equal to `sequence_length`. Received: {fft_length} and "
                     f"{sequence_length}"))  # fmt: skip

    def call(self, inputs):
        """The spectrograms.

        Args:
            inputs: (…, samples) array.
        """
        dtype = self.compute_dtype
        width = dtype if dtype in ("float32", "float64") else "float32"
        named = isinstance(self.window, str)
        limits = self.sampling_rate, self.min_freq, self.max_freq
        db = self.top_db, self.min_power, self.ref_power
        return mel_spectrogram(
            *(
                convert_to_tensor(inputs, width, sparse=False),
                None if named else self.window,
            ),
            lengths=(self.sequence_length, self.sequence_stride, self.fft_length),
            name=self.window if named else None,
            mel=(self.num_mel_bins, *limits),
            mag_exp=self.mag_exp,
            db=db if self.power_to_db else None,
        ).astype(dtype)

    def linear_to_mel_weight_matrix(
        self, num_mel_bins=20, num_spectrogram_bins=129, sampling_rate=8000,
        lower_edge_hertz=125.0, upper_edge_hertz=3800.0, dtype="float32",
    ):  # fmt: skip
        """Weights of frequencies in mel bands, (num_spectrogram_bins, num_mel_bins).

        Args:
            num_mel_bins: int, the number of bands.
            num_spectrogram_bins: int, the number of frequencies.
            sampling_rate: number, samples per second.
            lower_edge_hertz: float, lower edge of the first band.
            upper_edge_hertz: float, upper edge of the last.
            dtype: of the result.
        """
        bins = num_mel_bins, num_spectrogram_bins
        edges = lower_edge_hertz, upper_edge_hertz
        return mel_matrix(*bins, sampling_rate, *edges, dtype)
